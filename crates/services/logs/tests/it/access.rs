//! Which policies let a function write its log.

use serde_json::{Value as Json, json};

use crate::endpoint::{ACCOUNT, Endpoint, NOW, REGION};

const GROUP: &str = "/aws/lambda/f";
const STREAM: &str = "2026/11/24/[$LATEST]0a1b";

fn arn(resource: &str) -> String {
    format!("arn:aws:logs:{REGION}:{ACCOUNT}:{resource}")
}

fn steps() -> [(&'static str, Json); 3] {
    let stream = json!({"logGroupName": GROUP, "logStreamName": STREAM});
    let mut events = stream.clone();
    events["logEvents"] = json!([{"timestamp": NOW, "message": "START"}]);
    [
        ("CreateLogGroup", json!({"logGroupName": GROUP})),
        ("CreateLogStream", stream),
        ("PutLogEvents", events),
    ]
}

/// Which of the three steps of writing a log a policy allows.
async fn allowed(statements: &[(&str, &str)]) -> [bool; 3] {
    let endpoint = Endpoint::new();
    let mut outcome = [false; 3];
    for (index, (operation, input)) in steps().into_iter().enumerate() {
        match endpoint.call_with(statements, operation, input.clone()).await {
            Ok(_) => outcome[index] = true,
            Err(error) => {
                assert_eq!(error.code(), "AccessDeniedException");
                endpoint.ok(operation, input).await;
            }
        }
    }
    outcome
}

#[tokio::test]
async fn the_policies_people_have_work_as_in_aws() {
    let (account, group) = (arn("*"), arn(&format!("log-group:{GROUP}:*")));
    // What Lambda's console makes for a new function.
    let console = [
        ("logs:CreateLogGroup", account.as_str()),
        ("logs:CreateLogStream", group.as_str()),
        ("logs:PutLogEvents", group.as_str()),
    ];
    assert_eq!(allowed(&console).await, [true; 3]);
    assert_eq!(allowed(&[("logs:*", "*")]).await, [true; 3]);
    assert_eq!(allowed(&[("logs:*", &group)]).await, [true; 3]);
    assert_eq!(
        allowed(&[("logs:*", &arn("log-group:/aws/lambda/*"))]).await,
        [true; 3]
    );
    let streams = arn(&format!("log-group:{GROUP}:log-stream:*"));
    assert_eq!(
        allowed(&[("logs:PutLogEvents", &streams)]).await,
        [false, false, true]
    );
    // Without `:*` a policy names the group for tagging only.
    assert_eq!(
        allowed(&[("logs:*", &arn(&format!("log-group:{GROUP}")))]).await,
        [false; 3]
    );
    assert_eq!(
        allowed(&[("logs:*", &arn("log-group:/aws/lambda/g:*"))]).await,
        [false; 3]
    );
    assert_eq!(allowed(&[("logs:PutLogEvents", "*")]).await, [false, false, true]);
}

#[tokio::test]
async fn a_policy_of_exactly_what_was_asked_for_suffices() {
    let endpoint = Endpoint::new();
    let mut least: Vec<(String, String)> = Vec::new();
    for (operation, input) in steps() {
        least.extend(endpoint.needs(operation, input).await);
    }
    let least: Vec<(&str, &str)> = least
        .iter()
        .map(|(action, resource)| (action.as_str(), resource.as_str()))
        .collect();
    assert_eq!(allowed(&least).await, [true; 3]);
}

#[tokio::test]
async fn each_operation_asks_for_the_arn_aws_names() {
    let endpoint = Endpoint::new();
    let stream = json!({"logGroupName": GROUP, "logStreamName": STREAM});
    let group = json!({"logGroupName": GROUP});
    let plain = arn(&format!("log-group:{GROUP}"));
    for (operation, input, expected) in [
        (
            "DescribeLogGroups",
            json!({}),
            vec![("logs:DescribeLogGroups", arn("log-group::log-stream:"))],
        ),
        (
            "DescribeLogStreams",
            group.clone(),
            vec![("logs:DescribeLogStreams", format!("{plain}:log-stream:"))],
        ),
        (
            "GetLogEvents",
            stream.clone(),
            vec![("logs:GetLogEvents", format!("{plain}:log-stream:{STREAM}"))],
        ),
        (
            "FilterLogEvents",
            group.clone(),
            vec![("logs:FilterLogEvents", format!("{plain}:log-stream:"))],
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": GROUP, "unmask": true}),
            vec![
                ("logs:FilterLogEvents", format!("{plain}:log-stream:")),
                ("logs:Unmask", format!("{plain}:log-stream:")),
            ],
        ),
        (
            "DeleteLogGroup",
            group.clone(),
            vec![("logs:DeleteLogGroup", format!("{plain}:log-stream:"))],
        ),
        (
            "DeleteLogStream",
            stream,
            vec![("logs:DeleteLogStream", format!("{plain}:log-stream:{STREAM}"))],
        ),
        (
            "ListTagsForResource",
            json!({"resourceArn": plain}),
            vec![("logs:ListTagsForResource", plain.clone())],
        ),
        (
            "ListTagsLogGroup",
            group,
            vec![("logs:ListTagsLogGroup", format!("{plain}:log-stream:"))],
        ),
        (
            "CreateLogGroup",
            json!({"logGroupName": GROUP, "tags": {"a": "b"}}),
            vec![
                ("logs:CreateLogGroup", format!("{plain}:log-stream:")),
                ("logs:TagResource", plain.clone()),
            ],
        ),
    ] {
        let expected: Vec<(String, String)> = expected
            .into_iter()
            .map(|(action, resource)| (action.to_owned(), resource))
            .collect();
        assert_eq!(endpoint.needs(operation, input).await, expected, "{operation}");
    }
}

#[tokio::test]
async fn a_missing_group_is_denied_before_it_is_missed() {
    let endpoint = Endpoint::new();
    let denied = endpoint.call_with(
        &[("s3:*", "*")],
        "GetLogEvents",
        json!({"logGroupName": "g", "logStreamName": "s"}),
    );
    let error = denied.await.unwrap_err();
    assert_eq!(error.code(), "AccessDeniedException");
    assert!(error.message().contains("log-group:g:log-stream:s"), "{error}");
}
