//! Input made to break a parser: every case is an error of AWS's kind, never a panic, never a wrong reading.

use proptest::prelude::*;
use rolecall_wire::{Request, Value, WireError, decode, route};

use crate::models::{self, dynamodb_request, iam_request, request};

fn read(service: &str, request: &Request) -> Result<Value, WireError> {
    let model = models::model(service);
    decode(model, route(model, request)?, request)
}

fn put_item(item: &str) -> Result<Value, WireError> {
    let body = format!("{{\"TableName\":\"Orders\",\"Item\":{item}}}");
    read("dynamodb", &dynamodb_request("PutItem", body.as_bytes()))
}

#[track_caller]
fn fails(outcome: Result<Value, WireError>, code: &str, message: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(message), "{error}");
}

fn nested(levels: usize) -> String {
    format!(
        "{{\"a\":{}{{\"S\":\"x\"}}{}}}",
        "{\"M\":{\"n\":".repeat(levels),
        "}}".repeat(levels)
    )
}

#[test]
fn attributes_nest_32_levels_and_no_more() {
    put_item(&nested(31)).unwrap();
    for levels in [32, 33, 1_000, 100_000] {
        fails(
            put_item(&nested(levels)),
            "ValidationException",
            "Nesting Levels have exceeded supported limits",
        );
    }
}

#[test]
fn json_that_is_deep_broken_or_of_another_type() {
    let deep = format!("{{\"Unknown\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, message) in [
        (deep.as_bytes(), "nested deeper"),
        (b"{".as_slice(), "Unexpected token"),
        (b"{\"TableName\":\"Orders\"}}", "Unexpected token"),
        (b"{\"TableName\":\"\xFF\"}", "UTF-8"),
        (b"{\"TableName\":\"\\ud800\"}", "Unexpected token"),
        (b"{\"TableName\":\"a\nb\"}", "Unexpected token"),
        (b"{\"TableName\":1}", "NUMBER_VALUE cannot be converted to String"),
        (b"{\"TableName\":[]}", "Start of list found"),
        (b"{\"TableName\":\"a\",\"TableName\":\"b\"}", "more than once"),
        (b"{\"Item\":{\"a\":{\"B\":\"?\"}}}", "Base64"),
        (b"{\"Item\":{\"a\":{\"NULL\":tru}}}", "Unexpected token"),
        (
            b"{\"Item\":{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"y\"}}}",
            "more than once",
        ),
        (b"[]", "Start of list found"),
    ] {
        let outcome = read("dynamodb", &dynamodb_request("PutItem", body));
        fails(outcome, "SerializationException", message);
    }
    for number in [
        "1e400",
        "99999999999999999999",
        "1.5",
        "01",
        "+1",
        "1.",
        "0x10",
        "--1",
    ] {
        let body = format!("{{\"TableName\":\"Orders\",\"Limit\":{number}}}");
        fails(
            read("dynamodb", &dynamodb_request("Scan", body.as_bytes())),
            "SerializationException",
            "",
        );
    }
}

#[test]
fn attribute_values_have_exactly_one_type() {
    fails(
        put_item("{\"a\":{}}"),
        "ValidationException",
        "Supplied AttributeValue is empty",
    );
    fails(
        put_item("{\"a\":null}"),
        "ValidationException",
        "Supplied AttributeValue is empty",
    );
    fails(
        put_item("{\"a\":{\"S\":\"x\",\"N\":\"1\"}}"),
        "ValidationException",
        "more than one datatypes set",
    );
}

#[test]
fn constraints_are_told_in_the_words_of_aws() {
    fails(
        read("dynamodb", &dynamodb_request("PutItem", b"{\"Item\":{}}")),
        "ValidationException",
        "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null",
    );
    fails(
        read(
            "iam",
            &iam_request("Action=GetUser&Version=2010-05-08&UserName=a%20b"),
        ),
        "ValidationError",
        "1 validation error detected: Value 'a b' at 'userName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [\\w+=,.@-]+",
    );
    fails(
        read(
            "iam",
            &iam_request(
                "Action=UpdateAccessKey&Version=2010-05-08&AccessKeyId=AKIAIOSFODNN7EXAMPLE&Status=on",
            ),
        ),
        "ValidationError",
        "Member must satisfy enum value set: [Active, Inactive",
    );
    fails(
        read(
            "iam",
            &iam_request("Action=UntagUser&Version=2010-05-08&UserName=a&TagKeys.member.1=%21"),
        ),
        "ValidationError",
        "Value '[!]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have \
         length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy",
    );
    fails(
        read(
            "iam",
            &iam_request("Action=TagUser&Version=2010-05-08&UserName=a&Tags.member.1.Key=k"),
        ),
        "ValidationError",
        "Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null",
    );
    fails(
        read(
            "logs",
            &request(
                "POST",
                "/",
                "",
                &[("x-amz-target", "Logs_20140328.CreateLogGroup")],
                b"{}",
            ),
        ),
        "InvalidParameterException",
        "Value null at 'logGroupName'",
    );
}

#[test]
fn forms_that_are_broken() {
    for (form, code) in [
        ("Action=Nothing&Version=2010-05-08", "InvalidAction"),
        ("Action=GetUser&Version=2011-06-15", "InvalidAction"),
        ("Version=2010-05-08", "MissingAction"),
        ("Action=GetUser&Action=DeleteUser", "MalformedInput"),
        ("Action=GetUser&UserName=a&UserName=b", "MalformedInput"),
        ("Action=GetUser&UserName=%FF", "MalformedInput"),
        ("Action=ListUsers&MaxItems=many", "MalformedInput"),
        ("Action=UntagUser&UserName=a&TagKeys.member.2=b", "MalformedInput"),
    ] {
        fails(read("iam", &iam_request(form)), code, "");
    }
    let many = format!("Action=GetUser{}", "&a=b".repeat(20_000));
    fails(read("iam", &iam_request(&many)), "MalformedInput", "parameters");
    let deep = format!("Action=GetUser&UserName{}=x", ".member.1".repeat(50_000));
    read("iam", &iam_request(&deep)).unwrap();
}

#[test]
fn xml_that_is_deep_broken_or_has_entities() {
    let tagging = |xml: &str| read("s3", &request("PUT", "/orders", "tagging", &[], xml.as_bytes()));
    let good =
        "<Tagging><TagSet><Tag><Key>a</Key><Value>&lt;&#65;<![CDATA[&]]></Value></Tag></TagSet></Tagging>";
    let tags = tagging(good).unwrap();
    let first = &tags
        .get("Tagging")
        .unwrap()
        .get("TagSet")
        .unwrap()
        .as_list()
        .unwrap()[0];
    assert_eq!(first.get("Value").unwrap().as_str(), Some("<A&"));
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    for xml in [
        "",
        "<Tagging>",
        "<Other/>",
        "<Tagging/>",
        "<Tagging><TagSet/></Tagging><Tagging/>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><Tagging><TagSet/></Tagging>",
        "<Tagging><TagSet><Tag><Key>&x;</Key><Value/></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key><Value/></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
        &deep,
    ] {
        fails(tagging(xml), "MalformedXML", "");
    }
}

#[test]
fn paths_and_targets_that_name_nothing() {
    let code = |service: &str, request: &Request| {
        route(models::model(service), request)
            .unwrap_err()
            .code()
            .to_owned()
    };
    assert_eq!(
        code("dynamodb", &dynamodb_request("Nothing", b"{}")),
        "UnknownOperationException"
    );
    let foreign = request(
        "POST",
        "/",
        "",
        &[("x-amz-target", "Logs_20140328.PutLogEvents")],
        b"{}",
    );
    assert_eq!(code("dynamodb", &foreign), "UnknownOperationException");
    assert_eq!(
        code("lambda", &request("GET", "/2015-03-31/nothing", "", &[], b"")),
        "UnknownOperationException"
    );
    assert_eq!(
        code("s3", &request("PATCH", "/orders", "", &[], b"")),
        "MethodNotAllowed"
    );
    let unserved = request("PUT", "/orders/k", "acl", &[], b"");
    let operation = route(models::model("s3"), &unserved).unwrap();
    assert_eq!((operation.name, operation.served), ("PutObjectAcl", false));
    fails(
        read("s3", &request("GET", "/orders/%FF", "", &[], b"")),
        "InvalidURI",
        "",
    );
    fails(
        read("s3", &request("GET", "/orders", "max-keys=many", &[], b"")),
        "InvalidArgument",
        "Provided max-keys",
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[{}\\[\\]\":,0-9a-zS\\\\ ]{0,80}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            let _ = read("dynamodb", &dynamodb_request("PutItem", body));
            let _ = read("s3", &request("POST", "/orders", "delete", &[], body));
            let _ = read("iam", &request("POST", "/", "Action=CreateRole", &[], body));
        }
        let _ = read("s3", &request("GET", &format!("/{text}"), &text, &[("if-modified-since", &text)], b""));
    }
}
