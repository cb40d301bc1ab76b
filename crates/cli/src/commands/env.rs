//! `rolecall env`: the exports that point AWS's own clients at the endpoint.

use std::process::ExitCode;

use serde_json::json;

use crate::arguments::{EnvArguments, Format};
use crate::data_folder::DataFolder;
use crate::failure::Failure;

/// Prints them.
pub(crate) fn run(arguments: &EnvArguments) -> Result<ExitCode, Failure> {
    let folder = DataFolder::open(arguments.data.as_deref())?;
    let missing =
        || Failure::new("no endpoint was started on this data folder yet; start one with `rolecall serve`");
    let credentials = folder.kept_credentials()?.ok_or_else(missing)?;
    let (url, region) = folder.noted_endpoint().ok_or_else(missing)?;
    let variables = [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_REGION", region),
    ];
    match arguments.format {
        Format::Text => {
            for (name, value) in variables {
                println!("export {name}={}", quoted(&value));
            }
            // A session token or profile of another account would be mixed with these keys.
            println!("unset AWS_SESSION_TOKEN AWS_PROFILE");
        }
        Format::Json => {
            let object: serde_json::Map<String, serde_json::Value> = variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            println!("{}", serde_json::Value::Object(object));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// In single quotes, for any POSIX shell.
pub(crate) fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}
