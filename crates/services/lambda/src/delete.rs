//! `DeleteFunction`.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Lambda;
use crate::error::{invalid, no_function};
use crate::generated::{DeleteFunctionInput, DeleteFunctionOutput};
use crate::name::LATEST;
use crate::state::Function;

pub(crate) async fn delete_function(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: DeleteFunctionInput,
    _: Permit,
) -> Result<DeleteFunctionOutput, ServiceError> {
    let name = lambda
        .state
        .name(&input.function_name, input.qualifier.as_deref())?;
    lambda.check_place(&name)?;
    let writer = lambda.state.writer().await;
    let missing = || no_function(&name.qualified_arn());
    let function = lambda.state.function(&name.name).ok_or_else(missing)?;
    match name.qualifier.as_deref() {
        None => {
            writer.remove(&name.name).await?;
            lambda.runtime.retire(&name.arn());
        }
        Some(LATEST) => {
            return Err(invalid(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        Some(qualifier) => {
            let version = function.version(Some(qualifier)).ok_or_else(missing)?;
            let number: u64 = version.version.parse().map_err(|_| missing())?;
            let mut changed = Function::clone(&function);
            changed.published.remove(&number);
            changed.record.policies.remove(qualifier);
            writer.put(changed, &[], Some(number)).await?;
        }
    }
    Ok(DeleteFunctionOutput {
        status_code: Some(204),
    })
}
