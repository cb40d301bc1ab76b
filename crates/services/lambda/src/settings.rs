//! Checks of a function's configuration.
//!
//! Ranges and patterns that the model states are checked before a request comes here; here is what it does not state.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>

use std::collections::BTreeMap;

use rolecall_runtime::{Runtime, RuntimeIdentifier};
use rolecall_service::ServiceError;

use crate::error::{invalid, not_supported, user};
use crate::generated::{
    CreateFunctionInput, DeadLetterConfig, FileSystemConfig, FunctionCode, LoggingConfig, SnapStart,
    TracingConfig, UpdateFunctionCodeInput, UpdateFunctionConfigurationInput, VpcConfig,
};

/// Variables that Lambda sets itself and that cannot be changed.
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];
/// Largest environment as JSON, in bytes.
const MAXIMUM_ENVIRONMENT: usize = 4096;
/// Longest timeout, in seconds, and largest memory, in MB, of functions that run on no capacity provider of the
/// account's own; the model states what those may have.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAXIMUM_TIMEOUT: i32 = 900;
const MAXIMUM_MEMORY: i32 = 10_240;
/// Most tags of a function.
const MAXIMUM_TAGS: usize = 50;

/// Checks environment variables.
///
/// # Errors
/// A name is reserved or malformed, or all together are larger than 4 KB.
pub(crate) fn environment(variables: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    let reserved: Vec<&str> = variables
        .keys()
        .map(String::as_str)
        .filter(|name| RESERVED.contains(name))
        .collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: {}",
            reserved.join(", ")
        )));
    }
    for (name, value) in variables {
        let mut bytes = name.bytes();
        let starts_well = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
        if !starts_well
            || name.len() < 2
            || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            || value.contains('\0')
        {
            return Err(user(
                "ValidationException",
                400,
                "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys \
                 must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
            ));
        }
    }
    // AWS repeats the variables in its answer; they may be secrets and the answer is recorded, so only the size is told.
    let size = serde_json::to_string(variables)
        .map_err(ServiceError::internal)?
        .len();
    if size > MAXIMUM_ENVIRONMENT {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit. String measured: {size} bytes"
        )));
    }
    Ok(())
}

/// Checks a runtime's name, and that this machine can run it. May look for interpreters, so it can block for a moment.
///
/// # Errors
/// Says what to use or to install.
pub(crate) fn runtime(name: &str, machine: &Runtime) -> Result<RuntimeIdentifier, ServiceError> {
    let identifier: RuntimeIdentifier = name
        .parse()
        .map_err(|error: rolecall_runtime::RuntimeError| invalid(error.to_string()))?;
    machine
        .check(identifier)
        .map_err(|error| invalid(error.to_string()))?;
    Ok(identifier)
}

/// The architecture of this machine in Lambda's words.
pub(crate) fn machine_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

/// Checks `Architectures`.
///
/// # Errors
/// It is not the one of this machine.
pub(crate) fn architectures(wanted: Option<&[String]>) -> Result<&'static str, ServiceError> {
    let own = machine_architecture();
    match wanted {
        None | Some([]) => Ok(own),
        Some([only]) if only == own => Ok(own),
        Some(_) => Err(invalid(format!(
            "This machine runs functions of the architecture {own} only; give Architectures as [{own}]."
        ))),
    }
}

/// Checks tags as a whole.
///
/// # Errors
/// There are too many, or a key is AWS's own.
pub(crate) fn tags(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() > MAXIMUM_TAGS {
        return Err(invalid("Number of tags exceeds resource tag limit."));
    }
    for (key, value) in tags {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(
                "Your request includes tag key prefix aws:, which is reserved for use by AWS; choose another key.",
            ));
        }
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(
                "A tag's key has 1 to 128 characters and its value at most 256 characters.",
            ));
        }
    }
    Ok(())
}

/// The log group to write to, if it is not the usual one.
///
/// # Errors
/// A setting that is not served.
pub(crate) fn log_group(logging: &LoggingConfig) -> Result<Option<String>, ServiceError> {
    if logging
        .log_format
        .as_deref()
        .is_some_and(|format| format != "Text")
    {
        return Err(not_supported("LoggingConfig.LogFormat JSON"));
    }
    if logging.application_log_level.is_some() {
        return Err(not_supported("LoggingConfig.ApplicationLogLevel"));
    }
    if logging.system_log_level.is_some() {
        return Err(not_supported("LoggingConfig.SystemLogLevel"));
    }
    Ok(logging.log_group.clone().filter(|group| !group.is_empty()))
}

fn refuse_if(present: bool, parameter: &str) -> Result<(), ServiceError> {
    if present {
        return Err(not_supported(parameter));
    }
    Ok(())
}

fn at_most(member: &str, value: Option<i32>, maximum: i32) -> Result<(), ServiceError> {
    match value {
        Some(value) if value > maximum => Err(user(
            "ValidationException",
            400,
            format!(
                "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must \
                 have value less than or equal to {maximum}"
            ),
        )),
        _ => Ok(()),
    }
}

fn is_set(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

/// Members that both ways of configuring have and that are served at their neutral value only.
struct Shared<'a> {
    vpc: Option<&'a VpcConfig>,
    dead_letter: Option<&'a DeadLetterConfig>,
    kms_key: Option<&'a String>,
    tracing: Option<&'a TracingConfig>,
    layers: Option<&'a Vec<String>>,
    file_systems: Option<&'a Vec<FileSystemConfig>>,
    snap_start: Option<&'a SnapStart>,
    timeout: Option<i32>,
    memory: Option<i32>,
    others: [(bool, &'static str); 5],
}

impl Shared<'_> {
    fn check(&self) -> Result<(), ServiceError> {
        at_most("timeout", self.timeout, MAXIMUM_TIMEOUT)?;
        at_most("memorySize", self.memory, MAXIMUM_MEMORY)?;
        let lists = |list: Option<&Vec<String>>| list.is_some_and(|list| !list.is_empty());
        refuse_if(
            self.vpc.is_some_and(|vpc| {
                lists(vpc.subnet_ids.as_ref())
                    || lists(vpc.security_group_ids.as_ref())
                    || vpc.ipv6_allowed_for_dual_stack == Some(true)
            }),
            "VpcConfig",
        )?;
        refuse_if(
            self.dead_letter
                .is_some_and(|config| is_set(config.target_arn.as_ref())),
            "DeadLetterConfig",
        )?;
        refuse_if(is_set(self.kms_key), "KMSKeyArn")?;
        refuse_if(
            self.tracing
                .and_then(|config| config.mode.as_deref())
                .is_some_and(|mode| mode != "PassThrough"),
            "TracingConfig",
        )?;
        refuse_if(lists(self.layers), "Layers")?;
        refuse_if(
            self.file_systems.is_some_and(|list| !list.is_empty()),
            "FileSystemConfigs",
        )?;
        refuse_if(
            self.snap_start
                .and_then(|config| config.apply_on.as_deref())
                .is_some_and(|mode| mode != "None"),
            "SnapStart",
        )?;
        self.others
            .iter()
            .try_for_each(|(present, name)| refuse_if(*present, name))
    }
}

/// Names what `CreateFunction` is asked for and cannot do.
pub(crate) fn creation(input: &CreateFunctionInput) -> Result<(), ServiceError> {
    if input.package_type.as_deref().is_some_and(|kind| kind != "Zip") {
        return Err(invalid(
            "Functions of PackageType Image are not supported by rolecall; deploy a zip file instead.",
        ));
    }
    refuse_if(is_set(input.publish_to.as_ref()), "PublishTo")?;
    refuse_if(
        is_set(input.code_signing_config_arn.as_ref()),
        "CodeSigningConfigArn",
    )?;
    refuse_if(input.tenancy_config.is_some(), "TenancyConfig")?;
    Shared {
        vpc: input.vpc_config.as_ref(),
        dead_letter: input.dead_letter_config.as_ref(),
        kms_key: input.kms_key_arn.as_ref(),
        tracing: input.tracing_config.as_ref(),
        layers: input.layers.as_ref(),
        file_systems: input.file_system_configs.as_ref(),
        snap_start: input.snap_start.as_ref(),
        timeout: input.timeout,
        memory: input.memory_size,
        others: [
            (input.image_config.is_some(), "ImageConfig"),
            (input.capacity_provider_config.is_some(), "CapacityProviderConfig"),
            (input.durable_config.is_some(), "DurableConfig"),
            (input.runtime_config.is_some(), "RuntimeConfig"),
            (input.accelerator_config.is_some(), "AcceleratorConfig"),
        ],
    }
    .check()
}

/// Names what `UpdateFunctionConfiguration` is asked for and cannot do.
pub(crate) fn update(input: &UpdateFunctionConfigurationInput) -> Result<(), ServiceError> {
    Shared {
        vpc: input.vpc_config.as_ref(),
        dead_letter: input.dead_letter_config.as_ref(),
        kms_key: input.kms_key_arn.as_ref(),
        tracing: input.tracing_config.as_ref(),
        layers: input.layers.as_ref(),
        file_systems: input.file_system_configs.as_ref(),
        snap_start: input.snap_start.as_ref(),
        timeout: input.timeout,
        memory: input.memory_size,
        others: [
            (input.image_config.is_some(), "ImageConfig"),
            (input.capacity_provider_config.is_some(), "CapacityProviderConfig"),
            (input.durable_config.is_some(), "DurableConfig"),
            (input.runtime_config.is_some(), "RuntimeConfig"),
            (input.accelerator_config.is_some(), "AcceleratorConfig"),
        ],
    }
    .check()
}

/// Names what `Code` asks for and cannot be done.
pub(crate) fn code(code: &FunctionCode) -> Result<(), ServiceError> {
    refuse_if(is_set(code.image_uri.as_ref()), "Code.ImageUri")?;
    refuse_if(is_set(code.source_kms_key_arn.as_ref()), "Code.SourceKMSKeyArn")?;
    refuse_if(
        is_set(code.s3_object_storage_mode.as_ref()),
        "Code.S3ObjectStorageMode",
    )
}

/// Names what `UpdateFunctionCode` is asked for and cannot do.
pub(crate) fn code_update(input: &UpdateFunctionCodeInput) -> Result<(), ServiceError> {
    refuse_if(is_set(input.publish_to.as_ref()), "PublishTo")?;
    code(&FunctionCode {
        image_uri: input.image_uri.clone(),
        source_kms_key_arn: input.source_kms_key_arn.clone(),
        s3_object_storage_mode: input.s3_object_storage_mode.clone(),
        ..FunctionCode::default()
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn reserved_variables_are_named() {
        let error = environment(&variables(&[("AWS_REGION", "x"), ("FINE", "y")])).unwrap_err();
        assert_eq!(
            error.message(),
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: AWS_REGION"
        );
        environment(&variables(&[("TABLE_NAME", "orders"), ("k2", "")])).unwrap();
        for name in ["", "1A", "A", "A-B", "A=B", "Ä1"] {
            assert!(environment(&variables(&[(name, "x")])).is_err(), "{name}");
        }
    }

    #[test]
    fn four_kilobytes_are_the_limit_and_values_are_not_repeated() {
        let framing = r#"{"KEY":""}"#.len();
        environment(&variables(&[("KEY", &"x".repeat(4096 - framing))])).unwrap();
        let error = environment(&variables(&[("KEY", &"x".repeat(4097 - framing))])).unwrap_err();
        assert!(
            error.message().ends_with("String measured: 4097 bytes"),
            "{error}"
        );
    }

    #[test]
    fn time_and_memory_have_limits_below_the_models() {
        let with = |timeout, memory_size| {
            creation(&CreateFunctionInput {
                timeout: Some(timeout),
                memory_size: Some(memory_size),
                ..CreateFunctionInput::default()
            })
        };
        with(900, 10_240).unwrap();
        assert_eq!(
            with(901, 128).unwrap_err().message(),
            "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value \
             less than or equal to 900"
        );
        let memory = with(3, 10_241).unwrap_err();
        assert!(memory.message().contains("'memorySize'"), "{memory}");
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        let neutral = CreateFunctionInput {
            vpc_config: Some(VpcConfig::default()),
            layers: Some(Vec::new()),
            tracing_config: Some(TracingConfig {
                mode: Some("PassThrough".to_owned()),
            }),
            kms_key_arn: Some(String::new()),
            snap_start: Some(SnapStart {
                apply_on: Some("None".to_owned()),
            }),
            ..CreateFunctionInput::default()
        };
        creation(&neutral).unwrap();
        let with_layer = CreateFunctionInput {
            layers: Some(vec!["arn".to_owned()]),
            ..neutral.clone()
        };
        assert!(creation(&with_layer).unwrap_err().message().contains("Layers"));
        let image = CreateFunctionInput {
            package_type: Some("Image".to_owned()),
            ..neutral
        };
        assert!(creation(&image).unwrap_err().message().contains("Image"));
    }
}
