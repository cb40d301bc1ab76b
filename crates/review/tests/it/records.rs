//! Records made by hand, as the trail would hold them.

use rolecall_trail::{Access, Record, Verdict};
use serde_json::json;

pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/service/order-intake";

/// A record of the role's session.
pub(crate) fn record(operation: &str, accesses: Vec<Access>) -> Record {
    record_of(ROLE, operation, accesses)
}

/// A record of another role's session.
pub(crate) fn record_of(role: &str, operation: &str, accesses: Vec<Access>) -> Record {
    let service = accesses
        .first()
        .and_then(|access| access.action.split(':').next())
        .unwrap_or("s3")
        .to_owned();
    let event = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:order-intake",
            "arn": "arn:aws:sts::123456789012:assumed-role/order-intake/order-intake",
            "accountId": "123456789012",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAEXAMPLE", "arn": role, "accountId": "123456789012",
                },
                "attributes": {"creationDate": "2026-11-24T00:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": "2026-11-24T00:17:57Z",
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": operation,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
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

/// The same record as a call that ended with an error.
pub(crate) fn failed(mut record: Record, code: &str) -> Record {
    record.event.error_code = Some(code.to_owned());
    record
}

/// The same record as a call that AWS Lambda made with the role's permissions.
pub(crate) fn by_lambda(mut record: Record) -> Record {
    "lambda.amazonaws.com".clone_into(&mut record.event.source_ip_address);
    record
}

pub(crate) fn allowed(action: &str, resource: &str) -> Access {
    allowed_by("identity", action, resource)
}

pub(crate) fn allowed_by(layer: &str, action: &str, resource: &str) -> Access {
    Access {
        action: action.to_owned(),
        resource: resource.to_owned(),
        verdict: Verdict::Allowed,
        probe: false,
        layer: layer.to_owned(),
        statement: None,
        message: None,
    }
}

pub(crate) fn denied(action: &str, resource: &str) -> Access {
    Access {
        verdict: Verdict::ImplicitlyDenied,
        message: Some(format!("no identity-based policy allows the {action} action")),
        ..allowed(action, resource)
    }
}

pub(crate) fn probe(access: Access) -> Access {
    Access {
        probe: true,
        ..access
    }
}
