//! Environment variables inside an execution environment.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>: the platform's win over the customer's,
//! except for the few that are listed there as not reserved.

use std::collections::BTreeMap;
use std::ffi::OsString;

use rolecall_sandbox::{AWS_ENDPOINT_PORT, RUNTIME_API_PORT};
use rolecall_service::SessionCredentials;

use crate::function::{FunctionSpec, RuntimeIdentifier};

/// All variables of an environment.
pub(crate) fn variables(
    function: &FunctionSpec,
    region: &str,
    log_stream: &str,
    credentials: &SessionCredentials,
) -> Vec<(OsString, OsString)> {
    let endpoint = format!("http://127.0.0.1:{AWS_ENDPOINT_PORT}");
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |name: &str, value: &str| {
        all.insert(name.to_owned(), value.to_owned());
    };
    // Defaults that a customer may replace.
    set("LANG", "en_US.UTF-8");
    set("TZ", ":UTC");
    set("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin");
    set("LD_LIBRARY_PATH", "/var/task:/var/task/lib:/opt/lib");
    set("AWS_ENDPOINT_URL", &endpoint);
    // What AWS sets for every function; the service inside has no instance metadata to ask.
    set("AWS_EC2_METADATA_DISABLED", "true");
    for (name, value) in &function.environment {
        set(name, value);
    }
    if let RuntimeIdentifier::Python(minor) = function.runtime {
        let customer = function
            .environment
            .get("PYTHONPATH")
            .map(|path| format!("{path}:"))
            .unwrap_or_default();
        let path =
            format!("{customer}/opt/python/lib/python3.{minor}/site-packages:/opt/python:/var/runtime");
        set("PYTHONPATH", &path);
    }
    set("_HANDLER", &function.handler);
    set("AWS_REGION", region);
    set("AWS_DEFAULT_REGION", region);
    set("AWS_EXECUTION_ENV", &format!("AWS_Lambda_{}", function.runtime));
    set("AWS_LAMBDA_FUNCTION_NAME", &function.name);
    set("AWS_LAMBDA_FUNCTION_VERSION", &function.version);
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory_mb.to_string());
    set("AWS_LAMBDA_LOG_GROUP_NAME", &function.log_group);
    set("AWS_LAMBDA_LOG_STREAM_NAME", log_stream);
    set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
    set("AWS_LAMBDA_RUNTIME_API", &format!("127.0.0.1:{RUNTIME_API_PORT}"));
    set("AWS_ACCESS_KEY_ID", &credentials.access_key_id);
    set("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key);
    set("AWS_SESSION_TOKEN", &credentials.session_token);
    set("LAMBDA_TASK_ROOT", "/var/task");
    set("LAMBDA_RUNTIME_DIR", "/var/runtime");
    all.into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_platforms_variables_win() {
        let customer = [
            ("AWS_REGION", "mars-1"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("TZ", "Europe/Berlin"),
            ("TABLE", "orders"),
        ];
        let function = FunctionSpec {
            arn: "arn:aws:lambda:us-east-1:123456789012:function:f".into(),
            name: "f".into(),
            version: "$LATEST".into(),
            revision: "1".into(),
            runtime: RuntimeIdentifier::Python(11),
            handler: "app.handler".into(),
            code: "/nowhere".into(),
            layers: Vec::new(),
            memory_mb: 256,
            timeout: Duration::from_secs(3),
            ephemeral_mb: 512,
            environment: customer
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            role_arn: "arn:aws:iam::123456789012:role/r".into(),
            log_group: "/aws/lambda/f".into(),
            reserved_concurrency: None,
        };
        let credentials = SessionCredentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: "token".to_owned(),
            expires_at: jiff::Timestamp::MAX,
        };
        let all: BTreeMap<_, _> = variables(&function, "us-east-1", "stream", &credentials)
            .into_iter()
            .collect();
        let value = |name: &str| all.get(&OsString::from(name)).and_then(|value| value.to_str());
        for (name, expected) in [
            ("AWS_REGION", "us-east-1"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("TZ", "Europe/Berlin"),
            ("TABLE", "orders"),
            ("_HANDLER", "app.handler"),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
            (
                "PYTHONPATH",
                "/opt/python/lib/python3.11/site-packages:/opt/python:/var/runtime",
            ),
        ] {
            assert_eq!(value(name), Some(expected), "{name}");
        }
    }
}
