//! Answers, byte for byte.

use jiff::Timestamp;
use rolecall_wire::{ByteStream, ErrorResponse, IntoValue, Response, Value, encode, encode_error, redact};

use crate::models::{self, dynamodb, iam, lambda, s3, sts};

fn answer(service: &str, operation: &str, output: Value) -> Response {
    let model = models::model(service);
    encode(model, model.operation(operation).unwrap(), output, "id-1").unwrap()
}

fn body(response: &Response) -> String {
    String::from_utf8(response.body.read_all(1 << 20).unwrap().to_vec()).unwrap()
}

#[test]
fn json_answers() {
    let response = answer(
        "dynamodb",
        "GetItem",
        dynamodb::GetItemOutput {
            item: Some([("a".to_owned(), rolecall_wire::AttributeValue::N("1".to_owned()))].into()),
            ..Default::default()
        }
        .into_value(),
    );
    assert_eq!(body(&response), r#"{"Item":{"a":{"N":"1"}}}"#);
    assert_eq!(
        response.headers.get("content-type"),
        Some("application/x-amz-json-1.0")
    );
    assert_eq!(response.headers.get("X-Amzn-Requestid"), Some("id-1"));
    let checksum = crc32fast::hash(body(&response).as_bytes()).to_string();
    assert_eq!(response.headers.get("x-amz-crc32"), Some(checksum.as_str()));
}

#[test]
fn query_answers() {
    let output = sts::GetCallerIdentityOutput {
        account: Some("1<2".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        body(&answer("sts", "GetCallerIdentity", output.into_value())),
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Account>1&lt;2</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>id-1</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>"
    );
    assert_eq!(
        body(&answer("iam", "DeleteUser", ().into_value())),
        "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata>\
         <RequestId>id-1</RequestId></ResponseMetadata></DeleteUserResponse>"
    );
    let output = iam::GetAccountSummaryOutput {
        summary_map: Some([("Users".to_owned(), 2)].into()),
    };
    assert!(
        body(&answer("iam", "GetAccountSummary", output.into_value()))
            .contains("<SummaryMap><entry><key>Users</key><value>2</value></entry></SummaryMap>")
    );
}

#[test]
fn rest_answers() {
    let output = lambda::InvokeOutput {
        status_code: Some(202),
        function_error: Some("Unhandled".to_owned()),
        payload: Some("{}".into()),
        ..Default::default()
    };
    let response = answer("lambda", "Invoke", output.into_value());
    assert_eq!((response.status, body(&response).as_str()), (202, "{}"));
    assert_eq!(response.headers.get("x-amz-function-error"), Some("Unhandled"));

    let output = s3::GetBucketLocationOutput {
        location_constraint: Some("eu-west-1".to_owned()),
    };
    assert!(body(&answer("s3", "GetBucketLocation", output.into_value())).ends_with(
        "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1</LocationConstraint>"
    ));
    let output = s3::ListObjectsV2Output {
        contents: Some(vec![s3::Object {
            key: Some("a\u{1}&".to_owned()),
            size: Some(1),
            ..Default::default()
        }]),
        common_prefixes: Some(vec![s3::CommonPrefix {
            prefix: Some("p/".to_owned()),
        }]),
        ..Default::default()
    };
    assert!(body(&answer("s3", "ListObjectsV2", output.into_value())).ends_with(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Contents><Key>a&#x1;&amp;</Key>\
         <Size>1</Size></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>"
    ));
    let output = s3::HeadObjectOutput {
        content_length: Some(5),
        last_modified: Some(Timestamp::from_second(1_422_172_800).unwrap()),
        metadata: Some([("one".to_owned(), "1\r\nX-Evil: 1".to_owned())].into()),
        ..Default::default()
    };
    let response = answer("s3", "HeadObject", output.into_value());
    assert!(response.body.is_empty());
    assert_eq!(
        response.headers.get("last-modified"),
        Some("Sun, 25 Jan 2015 08:00:00 GMT")
    );
    assert_eq!(response.headers.get("x-amz-meta-one"), Some("1  X-Evil: 1"));
    let output = s3::GetObjectOutput {
        body: Some(ByteStream::from(b"abc".to_vec())),
        ..Default::default()
    };
    assert_eq!(body(&answer("s3", "GetObject", output.into_value())), "abc");
    assert_eq!(answer("s3", "DeleteBucketPolicy", Value::empty()).status, 204);
}

#[test]
fn errors_as_each_protocol_writes_them() {
    let wrong =
        |service: &str, error: &ErrorResponse| encode_error(models::model(service), None, error, "id-1");
    let error = ErrorResponse::new("ResourceNotFoundException", 400, "no \"table\"");
    assert_eq!(
        body(&wrong("dynamodb", &error)),
        "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":\"no \\\"table\\\"\"}"
    );
    let response = wrong(
        "lambda",
        &ErrorResponse::new("ResourceNotFoundException", 404, "gone"),
    );
    assert_eq!(
        response.headers.get("x-amzn-errortype"),
        Some("ResourceNotFoundException")
    );
    assert_eq!(body(&response), "{\"Message\":\"gone\",\"Type\":\"User\"}");
    assert_eq!(
        body(&wrong("iam", &ErrorResponse::new("NoSuchEntity", 404, "gone"))),
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>NoSuchEntity</Code><Message>gone</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"
    );
    let mut error = ErrorResponse::new("NoSuchKey", 404, "gone");
    error.resource = Some("/orders/k".to_owned());
    error.fields.push(("Key".into(), Value::from("k")));
    assert!(body(&wrong("s3", &error)).ends_with(
        "<Error><Code>NoSuchKey</Code><Message>gone</Message><Key>k</Key><Resource>/orders/k</Resource>\
         <RequestId>id-1</RequestId><HostId>rolecall-id-1</HostId></Error>"
    ));
    let model = models::model("s3");
    assert!(
        encode_error(model, model.operation("HeadObject"), &error, "id-1")
            .body
            .is_empty()
    );
}

#[test]
fn an_output_of_another_shape_is_an_internal_failure() {
    let model = models::model("sts");
    let wrong = Value::Map(vec![("Account".into(), Value::Boolean(true))]);
    let error = encode(
        model,
        model.operation("GetCallerIdentity").unwrap(),
        wrong,
        "id-1",
    )
    .unwrap_err();
    assert_eq!((error.code(), error.status()), ("InternalFailure", 500));
}

#[test]
fn secrets_are_neither_recorded_nor_printed() {
    let credentials = sts::Credentials {
        access_key_id: "ASIA1".to_owned(),
        secret_access_key: "topsecret".to_owned(),
        session_token: "topsecret".to_owned(),
        expiration: Timestamp::from_second(1_422_172_800).unwrap(),
    };
    let output = sts::AssumeRoleOutput {
        credentials: Some(credentials),
        ..Default::default()
    };
    assert!(!format!("{output:?}").contains("topsecret"));
    let model = models::model("sts");
    let shape = model.operation("AssumeRole").unwrap().output.unwrap();
    assert_eq!(
        redact(model, shape, &output.into_value()),
        serde_json::json!({ "credentials": {
            "accessKeyId": "ASIA1",
            "secretAccessKey": "HIDDEN_DUE_TO_SECURITY_REASONS",
            "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
            "expiration": "Jan 25, 2015, 8:00:00 AM",
        } })
    );
}
