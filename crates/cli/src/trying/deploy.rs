//! Creates what a template declares, one resource after the other, through the API calls a client would make.

use std::fmt::Write as _;

use rolecall_template::Created;
use serde_json::{Map, Value, json};

use super::client::Client;
use crate::failure::{Context, Failure};

fn created(
    reference: impl Into<String>,
    attributes: impl IntoIterator<Item = (&'static str, String)>,
) -> Created {
    Created {
        reference: reference.into(),
        attributes: attributes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

/// Replaces everything a role is granted by one policy, or by nothing.
#[derive(Debug, Clone)]
pub(crate) struct RoleOverride {
    /// Name of the role.
    pub(crate) role_name: String,
    /// Its policies: (name, document as JSON).
    pub(crate) policies: Vec<(String, String)>,
    /// Attached as managed policies, because together they are too large to be inline.
    pub(crate) as_managed_policies: bool,
}

/// Makes resources in one endpoint.
pub(crate) struct Deployer<'a> {
    pub(crate) client: &'a Client,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) role_override: Option<&'a RoleOverride>,
    /// Runs the function under test on this runtime instead of the template's.
    pub(crate) runtime_override: Option<&'a str>,
}

impl Deployer<'_> {
    /// Creates one resource with its resolved properties. `name` is used where the template gives none, `code` is the
    /// zip of a function.
    ///
    /// # Errors
    /// What the endpoint answers, or a property that has no value of the right kind.
    pub(crate) async fn create(
        &self,
        kind: &str,
        name: &str,
        properties: &Value,
        code: Option<&[u8]>,
    ) -> Result<Created, Failure> {
        let properties = Properties(properties);
        match kind {
            "AWS::IAM::Role" => self.role(name, properties).await,
            "AWS::IAM::Policy" => self.inline_policy(name, properties).await,
            "AWS::IAM::ManagedPolicy" => self.managed_policy(name, properties).await,
            "AWS::S3::Bucket" => self.bucket(name, properties).await,
            "AWS::DynamoDB::Table" => self.table(name, properties).await,
            "AWS::Logs::LogGroup" => self.log_group(name, properties).await,
            "AWS::Lambda::Function" => self.function(name, properties, code).await,
            "AWS::Lambda::Permission" => self.permission(name, properties).await,
            other => Err(Failure::unusable(format!(
                "resources of type {other} cannot be created here"
            ))),
        }
    }

    fn is_overridden(&self, role_name: &str) -> bool {
        self.role_override
            .is_some_and(|replaced| replaced.role_name == role_name)
    }

    async fn role(&self, name: &str, properties: Properties<'_>) -> Result<Created, Failure> {
        let name = properties.text("RoleName").unwrap_or(name);
        let path = properties.text("Path").unwrap_or("/");
        let mut form = Form::new("CreateRole");
        form.set("RoleName", name);
        form.set("Path", path);
        form.set(
            "AssumeRolePolicyDocument",
            properties.document("AssumeRolePolicyDocument")?,
        );
        form.set_optional("Description", properties.text("Description"));
        form.set_optional("PermissionsBoundary", properties.text("PermissionsBoundary"));
        form.set_optional(
            "MaxSessionDuration",
            properties.scalar("MaxSessionDuration").as_deref(),
        );
        form.tags(&properties.tags());
        let answer = self.client.iam(form.fields).await?;
        if let Some(replaced) = self.role_override.filter(|replaced| replaced.role_name == name) {
            for (policy, document) in &replaced.policies {
                if replaced.as_managed_policies {
                    let mut form = Form::new("CreatePolicy");
                    form.set("PolicyName", policy);
                    form.set("PolicyDocument", document);
                    self.client.iam(form.fields).await?;
                    self.attach(
                        "Role",
                        name,
                        &format!("arn:aws:iam::{}:policy/{policy}", self.account),
                    )
                    .await?;
                } else {
                    self.put_inline_policy("Role", name, policy, document).await?;
                }
            }
        } else {
            for arn in properties.texts("ManagedPolicyArns") {
                self.attach("Role", name, &arn).await?;
            }
            for policy in properties.list("Policies") {
                let policy = Properties(policy);
                let policy_name = policy.required("PolicyName")?;
                self.put_inline_policy("Role", name, policy_name, &policy.document("PolicyDocument")?)
                    .await?;
            }
        }
        let arn = format!("arn:aws:iam::{}:role{path}{name}", self.account);
        Ok(created(
            name,
            [
                ("Arn", arn),
                ("RoleId", element(&answer, "RoleId").unwrap_or_default()),
            ],
        ))
    }

    async fn inline_policy(&self, name: &str, properties: Properties<'_>) -> Result<Created, Failure> {
        let policy_name = properties.text("PolicyName").unwrap_or(name);
        let document = properties.document("PolicyDocument")?;
        for (kind, names) in holders(properties) {
            for holder in names
                .iter()
                .filter(|holder| kind != "Role" || !self.is_overridden(holder))
            {
                self.put_inline_policy(kind, holder, policy_name, &document)
                    .await?;
            }
        }
        Ok(created(policy_name, []))
    }

    async fn managed_policy(&self, name: &str, properties: Properties<'_>) -> Result<Created, Failure> {
        let policy_name = properties.text("ManagedPolicyName").unwrap_or(name);
        let path = properties.text("Path").unwrap_or("/");
        let mut form = Form::new("CreatePolicy");
        form.set("PolicyName", policy_name);
        form.set("Path", path);
        form.set("PolicyDocument", properties.document("PolicyDocument")?);
        form.set_optional("Description", properties.text("Description"));
        self.client.iam(form.fields).await?;
        let arn = format!("arn:aws:iam::{}:policy{path}{policy_name}", self.account);
        for (kind, names) in holders(properties) {
            for holder in names
                .iter()
                .filter(|holder| kind != "Role" || !self.is_overridden(holder))
            {
                self.attach(kind, holder, &arn).await?;
            }
        }
        Ok(created(arn.clone(), [("PolicyArn", arn)]))
    }

    async fn put_inline_policy(
        &self,
        kind: &str,
        holder: &str,
        policy_name: &str,
        document: &str,
    ) -> Result<(), Failure> {
        let mut form = Form::new(&format!("Put{kind}Policy"));
        form.set(&format!("{kind}Name"), holder);
        form.set("PolicyName", policy_name);
        form.set("PolicyDocument", document);
        self.client.iam(form.fields).await.map(drop)
    }

    async fn attach(&self, kind: &str, holder: &str, policy_arn: &str) -> Result<(), Failure> {
        let mut form = Form::new(&format!("Attach{kind}Policy"));
        form.set(&format!("{kind}Name"), holder);
        form.set("PolicyArn", policy_arn);
        self.client.iam(form.fields).await.map(drop)
    }

    async fn bucket(&self, name: &str, properties: Properties<'_>) -> Result<Created, Failure> {
        let name = properties.text("BucketName").unwrap_or(name);
        self.client.s3("PUT", &format!("/{name}"), "", Vec::new()).await?;
        let tags = properties.tags();
        if !tags.is_empty() {
            let mut entries = String::new();
            for (key, value) in &tags {
                // Writing to a string cannot fail.
                let _ = write!(
                    entries,
                    "<Tag><Key>{}</Key><Value>{}</Value></Tag>",
                    escape(key),
                    escape(value)
                );
            }
            let body = format!("<Tagging><TagSet>{entries}</TagSet></Tagging>").into_bytes();
            self.client
                .s3("PUT", &format!("/{name}"), "tagging=", body)
                .await?;
        }
        Ok(created(
            name,
            [
                ("Arn", format!("arn:aws:s3:::{name}")),
                ("DomainName", format!("{name}.s3.amazonaws.com")),
                (
                    "RegionalDomainName",
                    format!("{name}.s3.{}.amazonaws.com", self.region),
                ),
            ],
        ))
    }

    async fn table(&self, name: &str, properties: Properties<'_>) -> Result<Created, Failure> {
        let mut input = properties.object()?.clone();
        let name = properties.text("TableName").unwrap_or(name).to_owned();
        input.insert("TableName".to_owned(), name.clone().into());
        let time_to_live = input.remove("TimeToLiveSpecification");
        self.client
            .json(
                "dynamodb",
                "DynamoDB_20120810.CreateTable",
                "1.0",
                &Value::Object(input),
            )
            .await?;
        if let Some(specification) = time_to_live {
            let input = json!({"TableName": name, "TimeToLiveSpecification": specification});
            self.client
                .json("dynamodb", "DynamoDB_20120810.UpdateTimeToLive", "1.0", &input)
                .await?;
        }
        let arn = format!("arn:aws:dynamodb:{}:{}:table/{name}", self.region, self.account);
        Ok(created(name, [("Arn", arn)]))
    }

    async fn log_group(&self, name: &str, properties: Properties<'_>) -> Result<Created, Failure> {
        let name = properties.text("LogGroupName").unwrap_or(name);
        let mut input = json!({"logGroupName": name});
        let tags = properties.tags();
        if !tags.is_empty() {
            input["tags"] = tags
                .into_iter()
                .map(|(key, value)| (key, Value::from(value)))
                .collect::<Map<_, _>>()
                .into();
        }
        self.client
            .json("logs", "Logs_20140328.CreateLogGroup", "1.1", &input)
            .await?;
        if let Some(days) = properties.integer("RetentionInDays")? {
            let input = json!({"logGroupName": name, "retentionInDays": days});
            self.client
                .json("logs", "Logs_20140328.PutRetentionPolicy", "1.1", &input)
                .await?;
        }
        let arn = format!("arn:aws:logs:{}:{}:log-group:{name}:*", self.region, self.account);
        Ok(created(name, [("Arn", arn)]))
    }

    async fn function(
        &self,
        name: &str,
        properties: Properties<'_>,
        code: Option<&[u8]>,
    ) -> Result<Created, Failure> {
        let mut input = properties.object()?.clone();
        let name = properties.text("FunctionName").unwrap_or(name).to_owned();
        input.insert("FunctionName".to_owned(), name.clone().into());
        if let Some(code) = code {
            input.insert("Code".to_owned(), json!({"ZipFile": base64_of(code)}));
        }
        // CloudFormation writes tags as a list, the API takes a map.
        let tags = properties.tags();
        input.remove("Tags");
        if !tags.is_empty() {
            input.insert(
                "Tags".to_owned(),
                tags.into_iter()
                    .map(|(key, value)| (key, value.into()))
                    .collect::<Map<_, _>>()
                    .into(),
            );
        }
        if let Some(runtime) = self.runtime_override {
            input.insert("Runtime".to_owned(), runtime.into());
        }
        self.client
            .rest_json("lambda", "POST", "/2015-03-31/functions", &Value::Object(input))
            .await?;
        let arn = format!("arn:aws:lambda:{}:{}:function:{name}", self.region, self.account);
        Ok(created(name, [("Arn", arn)]))
    }

    async fn permission(&self, name: &str, properties: Properties<'_>) -> Result<Created, Failure> {
        let mut input = properties.object()?.clone();
        let function = properties.required("FunctionName")?.to_owned();
        input.remove("FunctionName");
        input.insert("StatementId".to_owned(), name.into());
        let path = format!(
            "/2015-03-31/functions/{}/policy",
            super::client::percent_encode(&function)
        );
        self.client
            .rest_json("lambda", "POST", &path, &Value::Object(input))
            .await?;
        Ok(created(name, []))
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Roles and users a policy resource is for, as (kind in operation names, names).
fn holders(properties: Properties<'_>) -> [(&'static str, Vec<String>); 2] {
    [
        ("Role", properties.texts("Roles")),
        ("User", properties.texts("Users")),
    ]
}

/// The text of the first element `name` in an answer of the Query protocol.
pub(super) fn element(answer: &str, name: &str) -> Option<String> {
    elements(answer, name).into_iter().next()
}

/// The texts of all elements `name` in an answer of the Query protocol that have no elements inside.
pub(super) fn elements(answer: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    answer
        .split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once(&close))
        .map(|(text, _)| text)
        .filter(|text| !text.contains('<'))
        .map(unescape)
        .collect()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A form of the Query protocol.
struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    fn new(action: &str) -> Self {
        Self {
            fields: vec![("Action".to_owned(), action.to_owned())],
        }
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.fields.push((name.to_owned(), value.into()));
    }

    fn set_optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    fn tags(&mut self, tags: &[(String, String)]) {
        for (index, (key, value)) in tags.iter().enumerate() {
            self.set(&format!("Tags.member.{}.Key", index + 1), key);
            self.set(&format!("Tags.member.{}.Value", index + 1), value);
        }
    }
}

/// A resource's resolved properties.
#[derive(Clone, Copy)]
struct Properties<'a>(&'a Value);

impl<'a> Properties<'a> {
    fn object(self) -> Result<&'a Map<String, Value>, Failure> {
        self.0
            .as_object()
            .ok_or_else(|| Failure::unusable("a resource's Properties must be a map"))
    }

    fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    fn required(self, name: &str) -> Result<&'a str, Failure> {
        self.text(name)
            .ok_or_else(|| Failure::unusable(format!("property {name} is missing or no text")))
    }

    fn scalar(self, name: &str) -> Option<String> {
        self.0.get(name).and_then(scalar)
    }

    fn integer(self, name: &str) -> Result<Option<i64>, Failure> {
        self.scalar(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    Failure::unusable(format!("property {name} must be a whole number, not {text}"))
                })
            })
            .transpose()
    }

    fn list(self, name: &str) -> &'a [Value] {
        self.0
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    fn texts(self, name: &str) -> Vec<String> {
        self.list(name)
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// A policy document, which a template writes as a map.
    fn document(self, name: &str) -> Result<String, Failure> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(document) => serde_json::to_string(document).context(name),
            None => Err(Failure::unusable(format!("property {name} is missing"))),
        }
    }

    fn tags(self) -> Vec<(String, String)> {
        match self.0.get("Tags") {
            Some(Value::Object(tags)) => tags
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), scalar(value)?)))
                .collect(),
            Some(Value::Array(tags)) => tags
                .iter()
                .filter_map(|tag| {
                    Some((
                        tag.get("Key").and_then(scalar)?,
                        tag.get("Value").and_then(scalar)?,
                    ))
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A scalar as the text CloudFormation would pass on.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
