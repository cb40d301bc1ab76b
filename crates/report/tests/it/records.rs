//! A function that takes in orders, made by hand: its records, and reports over them.

use std::time::Duration;

use rolecall_policy::{Document, DocumentKind};
use rolecall_report::TryReport;
use rolecall_review::{
    LeastPolicyOptions, Proof, RemovalOutcome, Usage, granted, least_policy, removals, usage,
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

/// A report over `records`, without proof.
pub(crate) fn report(records: &[Record]) -> TryReport {
    let usage = usage(records, ROLE);
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
    TryReport {
        function: "OrderIntake".to_owned(),
        function_arn: FUNCTION.to_owned(),
        role_arn: ROLE.to_owned(),
        runtime: "python3.11".to_owned(),
        declared_runtime: None,
        skipped: Vec::new(),
        payload: br#"{"outcome": "accepted", "order_id": "1001", "moved_to": "accepted/order-1001.json"}"#.to_vec(),
        function_error: None,
        report_line: Some(
            "REPORT RequestId: 6f0c1b7e\tDuration: 142.31 ms\tBilled Duration: 152 ms\tMemory Size: 256 MB\tMax Memory Used: 47 MB\tInit Duration: 9.24 ms\t"
                .to_owned(),
        ),
        log_tail: "START RequestId: 6f0c1b7e Version: $LATEST\n".to_owned(),
        took: Duration::from_millis(160),
        granted: granted(&policies, None, &usage),
        policy: least_policy(&usage, LeastPolicyOptions::default()).unwrap(),
        usage,
        policy_files: Vec::new(),
        proof: None,
        kept: None,
    }
}

/// The report of a function whose least policy is proved.
pub(crate) fn proved() -> TryReport {
    let mut report = report(&taken_in(None));
    report.policy_files = vec!["order-intake-OrderIntakeRole.policy.json".into()];
    report.proof = Some(proof(&report));
    report
}

/// What the runs without each action show when every action is needed.
pub(crate) fn proof(report: &TryReport) -> Proof {
    let without = |action: &str| -> Usage { usage(&taken_in(Some(action)), ROLE) };
    Proof {
        same_result: true,
        denials: Vec::new(),
        removals: removals(&report.policy)
            .iter()
            .map(|removal| RemovalOutcome::new(&removal.action, &without(&removal.action)))
            .collect(),
    }
}

/// The function lacks one permission, and fails.
pub(crate) fn short_of_a_permission() -> TryReport {
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
    let mut report = report(&records);
    report.function_error = Some("Unhandled".to_owned());
    report.payload = br#"{"errorMessage": "An error occurred (AccessDeniedException) when calling the TransactWriteItems operation", "errorType": "ClientError", "stackTrace": []}"#.to_vec();
    "START RequestId: 6f0c1b7e Version: $LATEST\n[ERROR] ClientError: An error occurred\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 31, in handler\nEND RequestId: 6f0c1b7e\nREPORT RequestId: 6f0c1b7e\tDuration: 142.31 ms\n".clone_into(&mut report.log_tail);
    report
}

/// Everything a report can have besides: another runtime, things left out, probes, calls never decided, a proof that fails.
pub(crate) fn with_everything() -> TryReport {
    let list = |access: Access| Access {
        probe: true,
        ..access
    };
    let missing = object("incoming/order-1003.json");
    let mut records = taken_in(None);
    records.extend([
        failed(
            record(
                "HeadObject",
                vec![
                    allowed("s3:GetObject", &missing),
                    list(allowed("s3:ListBucket", BUCKET)),
                ],
            ),
            "404",
            "Not Found",
        ),
        record(
            "GetObject",
            vec![
                allowed("s3:GetObject", &missing),
                list(allowed("s3:ListBucket", BUCKET)),
            ],
        ),
        failed(
            record("PutObject", vec![]),
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        ),
    ]);
    let mut report = report(&records);
    "python3.12".clone_into(&mut report.runtime);
    report.declared_runtime = Some("python3.11".to_owned());
    report.skipped =
        vec!["template.yaml: line 12: Topic is an AWS::SNS::Topic, which is not supported".to_owned()];
    report.report_line = None;
    report.policy_files = vec!["order-intake-OrderIntakeRole.policy.json".into()];
    report.kept = Some("/tmp/rolecall-kept-a1b2c3".into());
    report.proof = Some(proof(&report));
    report
}
