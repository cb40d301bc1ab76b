//! `GetAccountSettings`, `GetFunctionCodeSigningConfig`.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Lambda;
use crate::concurrency::{ACCOUNT_CONCURRENCY, reserved};
use crate::generated::{
    AccountLimit, AccountUsage, GetAccountSettingsInput, GetAccountSettingsOutput,
    GetFunctionCodeSigningConfigInput, GetFunctionCodeSigningConfigOutput,
};
use crate::package::MAXIMUM_STORAGE;
use crate::unzip::MAXIMUM_UNZIPPED;
use crate::versions::WHOLE_FUNCTION;

pub(crate) async fn get_account_settings(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    _: GetAccountSettingsInput,
    _: Permit,
) -> Result<GetAccountSettingsOutput, ServiceError> {
    let (count, size) = lambda.state.fold((0i64, 0u64), |(count, size), function| {
        let size = function
            .versions()
            .fold(size, |size, version| size.saturating_add(version.code_size));
        (count.saturating_add(1), size)
    });
    let unreserved = ACCOUNT_CONCURRENCY.saturating_sub(reserved(&lambda, None));
    Ok(GetAccountSettingsOutput {
        account_limit: Some(AccountLimit {
            total_code_size: i64::try_from(MAXIMUM_STORAGE).ok(),
            code_size_unzipped: i64::try_from(MAXIMUM_UNZIPPED).ok(),
            code_size_zipped: Some(52_428_800),
            concurrent_executions: i32::try_from(ACCOUNT_CONCURRENCY).ok(),
            unreserved_concurrent_executions: i32::try_from(unreserved).ok(),
        }),
        account_usage: Some(AccountUsage {
            total_code_size: i64::try_from(size).ok(),
            function_count: Some(count),
        }),
    })
}

/// Code signing cannot be configured, so a function has no configuration of it: both members are there, the ARN empty, as
/// AWS answers then.
pub(crate) async fn get_function_code_signing_config(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: GetFunctionCodeSigningConfigInput,
    _: Permit,
) -> Result<GetFunctionCodeSigningConfigOutput, ServiceError> {
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    Ok(GetFunctionCodeSigningConfigOutput {
        code_signing_config_arn: String::new(),
        function_name: function.record.name.clone(),
    })
}
