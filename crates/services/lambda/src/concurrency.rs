//! `PutFunctionConcurrency`, `GetFunctionConcurrency`, `DeleteFunctionConcurrency`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Lambda;
use crate::error::invalid;
use crate::generated::{
    Concurrency, DeleteFunctionConcurrencyInput, GetFunctionConcurrencyInput, GetFunctionConcurrencyOutput,
    PutFunctionConcurrencyInput,
};
use crate::state::Function;
use crate::versions::WHOLE_FUNCTION;

/// Invocations of the account at once.
pub(crate) const ACCOUNT_CONCURRENCY: u32 = 1000;
/// What must stay for functions without a reservation.
const MINIMUM_UNRESERVED: u32 = 100;

/// What functions have reserved, but for the one named.
pub(crate) fn reserved(lambda: &Lambda, but_for: Option<&str>) -> u32 {
    lambda.state.fold(0u32, |sum, function| {
        if Some(function.record.name.as_str()) == but_for {
            return sum;
        }
        sum.saturating_add(function.record.reserved_concurrency.unwrap_or_default())
    })
}

pub(crate) async fn put_function_concurrency(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: PutFunctionConcurrencyInput,
    _: Permit,
) -> Result<Concurrency, ServiceError> {
    let writer = lambda.state.writer().await;
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    let wanted = u32::try_from(input.reserved_concurrent_executions)
        .map_err(|_| invalid("ReservedConcurrentExecutions must not be negative."))?;
    let others = reserved(&lambda, Some(&function.record.name));
    let left = ACCOUNT_CONCURRENCY.saturating_sub(others.saturating_add(wanted));
    // Zero stops a function and takes nothing from the others.
    if wanted > 0 && left < MINIMUM_UNRESERVED {
        return Err(invalid(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution \
             below its minimum value of [{MINIMUM_UNRESERVED}]."
        )));
    }
    let mut changed = Function::clone(&function);
    changed.record.reserved_concurrency = Some(wanted);
    writer.put(changed, &[], None).await?;
    Ok(Concurrency {
        reserved_concurrent_executions: Some(input.reserved_concurrent_executions),
    })
}

pub(crate) async fn get_function_concurrency(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: GetFunctionConcurrencyInput,
    _: Permit,
) -> Result<GetFunctionConcurrencyOutput, ServiceError> {
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    Ok(GetFunctionConcurrencyOutput {
        reserved_concurrent_executions: function
            .record
            .reserved_concurrency
            .and_then(|reserved| i32::try_from(reserved).ok()),
    })
}

pub(crate) async fn delete_function_concurrency(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: DeleteFunctionConcurrencyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let writer = lambda.state.writer().await;
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    let mut changed = Function::clone(&function);
    changed.record.reserved_concurrency = None;
    writer.put(changed, &[], None).await?;
    Ok(())
}
