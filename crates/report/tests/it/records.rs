//! A function that takes in orders, made by hand: its records, and reports over them.

use rolecall_policy::{Document, DocumentKind};
use rolecall_report::{FunctionReport, InvocationReport, MemoryReport, Payload, TryReport, WrittenPolicy};
use rolecall_review::{
    LeastPolicy, LeastPolicyOptions, Proof, RemovalOutcome, Usage, granted, least_policy, removals, usage,
};
use rolecall_trail::{Access, Record, Verdict};
use serde_json::json;

const ROLE: &str = "arn:aws:iam::123456789012:role/order-intake-OrderIntakeRole";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:order-intake";
const BUCKET: &str = "arn:aws:s3:::order-intake-123456789012";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/order-intake-OrderTable";
const LOGS: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/order-intake:log-stream:";

/// A record of the role's session; the time is that of a clock that stands still.
pub(crate) fn record(operation: &str, accesses: Vec<Access>) -> Record {
    let service = accesses
        .first()
        .and_then(|access| access.action.split(':').next())
        .unwrap_or("s3")
        .to_owned();
    let event = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAEXAMPLE", "arn": ROLE, "accountId": "123456789012",
                },
                "attributes": {"creationDate": "2026-11-24T00:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": "2026-11-24T00:17:57Z",
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": operation,
        "awsRegion": "us-east-1",
        "sourceIPAddress": if service == "logs" { "lambda.amazonaws.com" } else { "127.0.0.1" },
        "userAgent": "Boto3/1.40",
        "requestParameters": null,
        "responseElements": null,
        "requestID": format!("request-{operation}"),
        "eventID": "event",
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": false,
        "recipientAccountId": "123456789012",
        "eventCategory": "Data",
    });
    Record {
        event: serde_json::from_value(event).unwrap(),
        accesses,
    }
}

pub(crate) fn failed(mut record: Record, code: &str, message: &str) -> Record {
    record.event.error_code = Some(code.to_owned());
    record.event.error_message = Some(message.to_owned());
    record
}

pub(crate) fn allowed(action: &str, resource: &str) -> Access {
    Access {
        action: action.to_owned(),
        resource: resource.to_owned(),
        verdict: Verdict::Allowed,
        probe: false,
        layer: "identity".to_owned(),
        statement: None,
        message: None,
    }
}

/// Denied in the words AWS has for the layer.
pub(crate) fn denied(layer: &str, because: &str, action: &str, resource: &str) -> Access {
    let session = "arn:aws:sts::123456789012:assumed-role/order-intake-OrderIntakeRole/order-intake";
    Access {
        verdict: Verdict::ImplicitlyDenied,
        layer: layer.to_owned(),
        message: Some(format!(
            "User: {session} is not authorized to perform: {action} on resource: {resource} because no {because} allows the {action} action"
        )),
        ..allowed(action, resource)
    }
}

fn object(key: &str) -> String {
    format!("{BUCKET}/{key}")
}

fn log_writing() -> Vec<Record> {
    let stream = format!("{LOGS}2026/11/24/[$LATEST]0123456789abcdef0123456789abcdef");
    vec![
        record("CreateLogStream", vec![allowed("logs:CreateLogStream", LOGS)]),
        record("PutLogEvents", vec![allowed("logs:PutLogEvents", &stream)]),
        record("PutLogEvents", vec![allowed("logs:PutLogEvents", &stream)]),
    ]
}

/// The order is taken in; `without` is denied.
fn taken_in(without: Option<&str>) -> Vec<Record> {
    let access = |action: &str, resource: &str| {
        if without == Some(action) {
            denied("identity", "identity-based policy", action, resource)
        } else {
            allowed(action, resource)
        }
    };
    let incoming = object("incoming/order-1001.json");
    let mut records = vec![
        record("GetObject", vec![access("s3:GetObject", &incoming)]),
        record("TransactWriteItems", vec![access("dynamodb:PutItem", TABLE)]),
        record(
            "CopyObject",
            vec![
                access("s3:GetObject", &incoming),
                access("s3:PutObject", &object("accepted/order-1001.json")),
            ],
        ),
        record("DeleteObject", vec![access("s3:DeleteObject", &incoming)]),
    ];
    records.extend(log_writing().into_iter().map(|mut record| {
        for one in &mut record.accesses {
            *one = access(&one.action, &one.resource);
        }
        record
    }));
    records
}

/// Everything a report is made of, for a test to change.
pub(crate) struct Tried {
    pub(crate) invocation: InvocationReport,
    pub(crate) usage: Usage,
    pub(crate) files: Vec<String>,
    pub(crate) proof: Option<Proof>,
}

impl Tried {
    /// A run with these records, without proof.
    pub(crate) fn new(records: &[Record]) -> Self {
        Self {
            invocation: InvocationReport {
                function: FunctionReport {
                    name: "order-intake".to_owned(),
                    arn: FUNCTION.to_owned(),
                    role: ROLE.to_owned(),
                },
                runtime: "python3.11".to_owned(),
                runtime_note: None,
                skipped: Vec::new(),
                succeeded: true,
                result: Payload::new(
                    br#"{"outcome": "accepted", "order_id": "1001", "moved_to": "accepted/order-1001.json"}"#,
                ),
                duration_ms: 142.31,
                init_ms: Some(9.24),
                memory: MemoryReport {
                    size_mb: 256,
                    max_used_mb: 47,
                },
            },
            usage: usage(records, ROLE),
            files: Vec::new(),
            proof: None,
        }
    }

    /// With its policy written, and proved.
    fn and_proved(mut self) -> Self {
        self.files = vec!["order-intake-OrderIntakeRole.policy.json".to_owned()];
        self.proof = Some(self.proof());
        self
    }

    pub(crate) fn policy(&self) -> LeastPolicy {
        least_policy(&self.usage, LeastPolicyOptions::default()).unwrap()
    }

    /// What the runs without each action show of [`taken_in`].
    pub(crate) fn proof(&self) -> Proof {
        let removals = removals(&self.policy());
        let outcome = |action: &str| RemovalOutcome::new(action, &usage(&taken_in(Some(action)), ROLE));
        Proof {
            same_result: true,
            denials: Vec::new(),
            removals: removals.iter().map(|removal| outcome(&removal.action)).collect(),
        }
    }

    pub(crate) fn report(&self) -> TryReport {
        let policies = [
            "AmazonS3FullAccess",
            "AmazonDynamoDBFullAccess",
            "CloudWatchLogsFullAccess",
        ]
        .map(|name| {
            let arn = format!("arn:aws:iam::aws:policy/{name}");
            Document::parse(
                &rolecall_catalog::managed_policy(&arn).unwrap().document(),
                DocumentKind::Identity,
            )
            .unwrap()
        });
        let policy = self.policy();
        let written = (!policy.documents.is_empty()).then_some(WrittenPolicy {
            policy: &policy,
            files: &self.files,
        });
        let granted = granted(&policies, None, &self.usage);
        TryReport::new(
            self.invocation.clone(),
            &self.usage,
            &granted,
            written,
            self.proof.as_ref(),
        )
    }
}

/// A function whose least policy is proved.
pub(crate) fn proved() -> Tried {
    Tried::new(&taken_in(None)).and_proved()
}

/// The function lacks one permission, and fails.
pub(crate) fn short_of_a_permission() -> Tried {
    let mut records = vec![
        record(
            "GetObject",
            vec![allowed("s3:GetObject", &object("incoming/order-1001.json"))],
        ),
        failed(
            record(
                "TransactWriteItems",
                vec![denied(
                    "boundary",
                    "permissions boundary",
                    "dynamodb:PutItem",
                    TABLE,
                )],
            ),
            "AccessDeniedException",
            "",
        ),
    ];
    records.extend(log_writing());
    let mut tried = Tried::new(&records);
    tried.invocation.succeeded = false;
    tried.invocation.result = Payload::new(
        br#"{"errorMessage": "An error occurred (AccessDeniedException) when calling the TransactWriteItems operation", "errorType": "ClientError", "stackTrace": []}"#,
    );
    tried
}

/// Everything a report can have besides: another runtime, things left out, probes, calls never decided, a proof that fails.
pub(crate) fn with_everything() -> Tried {
    let list = || Access {
        probe: true,
        ..allowed("s3:ListBucket", BUCKET)
    };
    let get = || allowed("s3:GetObject", &object("incoming/order-1003.json"));
    let mut records = taken_in(None);
    records.extend([
        failed(record("HeadObject", vec![get(), list()]), "404", "Not Found"),
        record("GetObject", vec![get(), list()]),
        failed(
            record("PutObject", vec![]),
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        ),
    ]);
    let mut tried = Tried::new(&records).and_proved();
    let invocation = &mut tried.invocation;
    "python3.12".clone_into(&mut invocation.runtime);
    invocation.runtime_note = Some("the template says python3.11; --runtime asked for python3.12".to_owned());
    invocation.skipped =
        vec!["template.yaml: line 12: Topic is an AWS::SNS::Topic, which is not supported".to_owned()];
    invocation.init_ms = None;
    tried
}
