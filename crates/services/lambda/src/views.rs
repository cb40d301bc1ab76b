//! Versions as AWS shows them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::generated::{
    EnvironmentResponse, EphemeralStorage, FunctionConfiguration, LoggingConfig, SnapStartResponse,
    TracingConfigResponse,
};
use crate::name::LATEST;
use crate::record::VersionRecord;
use crate::state::{Function, State};

/// Whether an ARN that is shown names the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShowArn {
    /// As unqualified as the request.
    Plain,
    /// With the version at its end.
    Qualified,
}

/// The configuration of one version.
pub(crate) fn configuration(
    state: &State,
    function: &Function,
    version: &VersionRecord,
    show: ShowArn,
) -> FunctionConfiguration {
    let arn = state.arn(&function.record.name);
    let qualified = show == ShowArn::Qualified || version.version != LATEST;
    FunctionConfiguration {
        function_name: Some(function.record.name.clone()),
        function_arn: Some(if qualified {
            format!("{arn}:{}", version.version)
        } else {
            arn
        }),
        runtime: Some(version.runtime.clone()),
        role: Some(version.role.clone()),
        handler: Some(version.handler.clone()),
        code_size: i64::try_from(version.code_size).ok(),
        description: Some(version.description.clone()),
        timeout: i32::try_from(version.timeout).ok(),
        memory_size: i32::try_from(version.memory_mb).ok(),
        last_modified: Some(last_modified(version.last_modified)),
        code_sha256: Some(code_sha256(&version.code_sha256)),
        version: Some(version.version.clone()),
        environment: (!version.environment.is_empty()).then(|| EnvironmentResponse {
            variables: Some(version.environment.clone()),
            error: None,
        }),
        tracing_config: Some(TracingConfigResponse {
            mode: Some("PassThrough".to_owned()),
        }),
        revision_id: Some(version.revision.clone()),
        state: Some("Active".to_owned()),
        last_update_status: Some("Successful".to_owned()),
        package_type: Some("Zip".to_owned()),
        architectures: Some(vec![version.architecture.clone()]),
        ephemeral_storage: i32::try_from(version.ephemeral_mb)
            .ok()
            .map(|size| EphemeralStorage { size }),
        snap_start: Some(SnapStartResponse {
            apply_on: Some("None".to_owned()),
            optimization_status: Some("Off".to_owned()),
        }),
        logging_config: Some(LoggingConfig {
            log_format: Some("Text".to_owned()),
            application_log_level: None,
            system_log_level: None,
            log_group: Some(
                version
                    .log_group
                    .clone()
                    .unwrap_or_else(|| format!("/aws/lambda/{}", function.record.name)),
            ),
        }),
        ..FunctionConfiguration::default()
    }
}

/// A hexadecimal digest as Lambda shows it.
pub(crate) fn code_sha256(hexadecimal: &str) -> String {
    STANDARD.encode(hex::decode(hexadecimal).unwrap_or_default())
}

/// Milliseconds since 1970 as `2026-11-24T00:17:57.000+0000`.
fn last_modified(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// Tags as an answer carries them: absent when there are none.
pub(crate) fn tags(tags: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    (!tags.is_empty()).then(|| tags.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_digests_are_written_as_lambda_does() {
        assert_eq!(last_modified(1_795_479_477_000), "2026-11-24T00:17:57.000+0000");
        assert_eq!(
            code_sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }
}
