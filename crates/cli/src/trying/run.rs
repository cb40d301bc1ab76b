//! One run: a fresh endpoint, the template deployed into it, one invocation.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rolecall_template::Created;
use rolecall_trail::Record;
use serde_json::Value;

use super::client::{Client, percent_encode};
use super::deploy::{Deployer, RoleOverride};
use super::plan::{ACCOUNT, REGION, Subject};
use crate::arguments::RootCredentials;
use crate::endpoint::{Endpoint, EndpointOptions};
use crate::failure::{Context, Failure};
use crate::progress::RuntimeProgress;

/// Records read from the trail at once.
const BATCH: usize = 1000;

/// Name of the identity that deploys.
const DEPLOYER: &str = "rolecall-deployer";

/// How a run differs from the template.
#[derive(Default)]
pub(crate) struct RunOptions<'a> {
    /// What the execution role is granted instead of what the template grants it.
    pub(crate) role_override: Option<&'a RoleOverride>,
    /// Where to keep the endpoint's state; thrown away otherwise.
    pub(crate) keep: Option<&'a Path>,
}

/// What a run gave.
pub(crate) struct Run {
    /// The execution role.
    pub(crate) role_name: String,
    /// Its ARN.
    pub(crate) role_arn: String,
    /// ARN of the function.
    pub(crate) function_arn: String,
    /// The function's answer.
    pub(crate) payload: Vec<u8>,
    /// `Unhandled` when the function failed.
    pub(crate) function_error: Option<String>,
    /// The `REPORT` line of its log.
    pub(crate) report_line: Option<String>,
    /// The end of its log.
    pub(crate) log_tail: String,
    /// The records of the invocation: from just before it to the end of what it caused.
    pub(crate) records: Vec<Record>,
    /// Policies attached to the role when it ran: (label, document as JSON).
    pub(crate) granted: Vec<(String, String)>,
    /// The role's permissions boundary, likewise.
    pub(crate) boundary: Option<(String, String)>,
}

/// Deploys and invokes.
///
/// # Errors
/// A resource cannot be created, or the function cannot be invoked. A function that fails is a result.
pub(crate) async fn run(subject: &Subject, options: RunOptions<'_>) -> Result<Run, Failure> {
    let scratch;
    let data: PathBuf = if let Some(folder) = options.keep {
        folder.to_owned()
    } else {
        scratch = tempfile::Builder::new()
            .prefix("rolecall-try-")
            .tempdir()
            .context("making a scratch folder")?;
        scratch.path().to_owned()
    };
    let (access_key_id, secret_access_key) = new_credentials()?;
    let root = RootCredentials {
        access_key_id,
        secret_access_key,
    };
    let endpoint = Endpoint::start(EndpointOptions {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data,
        keeps_state: options.keep.is_some(),
        region: REGION.to_owned(),
        account: ACCOUNT.to_owned(),
        root: root.clone(),
        progress: Arc::new(RuntimeProgress::default()),
    })
    .await?;
    let outcome = deploy_and_invoke(subject, &options, &endpoint, &root).await;
    let stopped = endpoint.stop().await;
    let outcome = outcome?;
    stopped?;
    Ok(outcome)
}

/// Fresh credentials for a root user.
///
/// # Errors
/// The system has no randomness to give.
pub(crate) fn new_credentials() -> Result<(String, String), Failure> {
    let made = rolecall_identity::RootCredentials::generate(ACCOUNT).context("making root credentials")?;
    Ok((made.access_key_id, made.secret.expose().to_owned()))
}

async fn deploy_and_invoke(
    subject: &Subject,
    options: &RunOptions<'_>,
    endpoint: &Endpoint,
    root: &RootCredentials,
) -> Result<Run, Failure> {
    let client = deployer(endpoint.address, root).await?;
    let runtime = subject.runtime.to_string();
    let mut created: BTreeMap<String, Created> = BTreeMap::new();
    let mut function = None;
    for resource in subject.plan.resources() {
        let doing = || format!("line {}: creating {}", resource.line, resource.logical_id);
        let properties = subject
            .plan
            .resolve(&resource.logical_id, &created)
            .map_err(|error| Failure::unusable(error.to_string()).context(doing()))?;
        let is_subject = resource.logical_id == subject.function.logical_id;
        let deployer = Deployer {
            client: &client,
            account: ACCOUNT,
            region: REGION,
            role_override: options.role_override,
            runtime_override: is_subject.then_some(runtime.as_str()),
        };
        let name = subject.plan.physical_name(&resource.logical_id);
        let code = subject.code.get(&resource.logical_id).map(Vec::as_slice);
        let made = deployer
            .create(resource.resource_type, &name, &properties, code)
            .await
            .map_err(|failure| failure.context(doing()))?;
        if is_subject {
            function = Some((made.clone(), properties));
        }
        created.insert(resource.logical_id.clone(), made);
    }
    let (made, properties) = function.ok_or_else(|| Failure::unusable("the function was not created"))?;
    for seed in &subject.seeds {
        let bucket = created.get(&seed.bucket).ok_or_else(|| {
            Failure::unusable(format!(
                "seed/{}: the template creates no bucket of that logical id",
                seed.bucket
            ))
        })?;
        let key: Vec<String> = seed.key.split('/').map(percent_encode).collect();
        client
            .s3(
                "PUT",
                &format!("/{}/{}", bucket.reference, key.join("/")),
                "",
                seed.content.clone(),
            )
            .await?;
    }
    let role_arn = properties
        .get("Role")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let role_name = role_arn.rsplit('/').next().unwrap_or_default().to_owned();
    let granted = granted(&client, &role_name).await?;
    let boundary = boundary(&client, &role_name).await?;
    let before = records_so_far(endpoint)?;
    let invoked = invoke(&client, &made.reference, &subject.event).await?;
    endpoint.settle().await;
    let records = records_from(endpoint, before)?;
    Ok(Run {
        function_arn: made.attributes.get("Arn").cloned().unwrap_or_default(),
        role_name,
        role_arn,
        records,
        granted,
        boundary,
        ..invoked
    })
}

/// Makes the deploying identity, an IAM user with `AdministratorAccess`, and a client that signs with its key.
async fn deployer(address: SocketAddr, root: &RootCredentials) -> Result<Client, Failure> {
    let client = Client::new(address, REGION, &root.access_key_id, &root.secret_access_key);
    let user = ("UserName", DEPLOYER);
    client.iam(form("CreateUser", &[user])).await?;
    let everything = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    client.iam(form("AttachUserPolicy", &[user, everything])).await?;
    let answer = client.iam(form("CreateAccessKey", &[user])).await?;
    let element = |name: &str| {
        super::deploy::element(&answer, name)
            .ok_or_else(|| Failure::new(format!("CreateAccessKey answered without {name}")))
    };
    Ok(Client::new(
        address,
        REGION,
        &element("AccessKeyId")?,
        &element("SecretAccessKey")?,
    ))
}

fn form(action: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields = vec![("Action".to_owned(), action.to_owned())];
    fields.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    fields
}

/// Every policy of the role, read through the API.
async fn granted(client: &Client, role_name: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut granted = Vec::new();
    let attached = client
        .iam(form("ListAttachedRolePolicies", &[("RoleName", role_name)]))
        .await?;
    for arn in super::deploy::elements(&attached, "PolicyArn") {
        let document = managed_document(client, &arn).await?;
        granted.push((arn, document));
    }
    let inline = client
        .iam(form("ListRolePolicies", &[("RoleName", role_name)]))
        .await?;
    for name in super::deploy::elements(&inline, "member") {
        let fields = [("RoleName", role_name), ("PolicyName", name.as_str())];
        let document = client.iam(form("GetRolePolicy", &fields)).await?;
        granted.push((name, decoded_document(&document, "PolicyDocument")?));
    }
    Ok(granted)
}

async fn boundary(client: &Client, role_name: &str) -> Result<Option<(String, String)>, Failure> {
    let role = client.iam(form("GetRole", &[("RoleName", role_name)])).await?;
    let Some(arn) = super::deploy::element(&role, "PermissionsBoundaryArn") else {
        return Ok(None);
    };
    let document = managed_document(client, &arn).await?;
    Ok(Some((arn, document)))
}

async fn managed_document(client: &Client, arn: &str) -> Result<String, Failure> {
    let policy = client.iam(form("GetPolicy", &[("PolicyArn", arn)])).await?;
    let version = super::deploy::element(&policy, "DefaultVersionId").unwrap_or_default();
    let document = client
        .iam(form(
            "GetPolicyVersion",
            &[("PolicyArn", arn), ("VersionId", &version)],
        ))
        .await?;
    decoded_document(&document, "Document")
}

/// IAM answers documents percent-encoded.
fn decoded_document(answer: &str, element: &str) -> Result<String, Failure> {
    let encoded = super::deploy::element(answer, element)
        .ok_or_else(|| Failure::new(format!("IAM answered without {element}")))?;
    percent_encoding::percent_decode_str(&encoded)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .context("reading a policy document")
}

async fn invoke(client: &Client, function_name: &str, event: &[u8]) -> Result<Run, Failure> {
    let path = format!(
        "/2015-03-31/functions/{}/invocations",
        percent_encode(function_name)
    );
    let headers = vec![("x-amz-log-type", "Tail".to_owned())];
    let answer = client
        .rest("lambda", "POST", &path, headers, event.to_vec())
        .await?;
    let tail = answer
        .header("x-amz-log-result")
        .and_then(|text| STANDARD.decode(text).ok())
        .unwrap_or_default();
    let log_tail = String::from_utf8_lossy(&tail).into_owned();
    Ok(Run {
        role_name: String::new(),
        role_arn: String::new(),
        function_arn: String::new(),
        payload: answer.body.to_vec(),
        function_error: answer.header("x-amz-function-error").map(str::to_owned),
        report_line: log_tail
            .lines()
            .rev()
            .find(|line| line.starts_with("REPORT "))
            .map(str::to_owned),
        log_tail,
        records: Vec::new(),
        granted: Vec::new(),
        boundary: None,
    })
}

/// The position after the newest record.
fn records_so_far(endpoint: &Endpoint) -> Result<u64, Failure> {
    let newest = endpoint
        .recorder
        .read_reverse(u64::MAX, 1)
        .context("reading the trail")?;
    Ok(newest
        .first()
        .map_or(0, |(position, _)| position.saturating_add(1)))
}

fn records_from(endpoint: &Endpoint, mut position: u64) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    loop {
        let batch = endpoint
            .recorder
            .read_from(position, BATCH)
            .context("reading the trail")?;
        let Some((last, _)) = batch.last() else {
            return Ok(records);
        };
        position = last.saturating_add(1);
        records.extend(batch.into_iter().map(|(_, record)| record));
    }
}
