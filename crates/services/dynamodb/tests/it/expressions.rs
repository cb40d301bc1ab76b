//! What expressions are refused with, and what updates do.

use serde_json::{Value as Json, json};

use crate::endpoint::Endpoint;

async fn refused(endpoint: &Endpoint, condition: &str, names: Json, values: Json) -> String {
    let mut input =
        json!({"TableName": "orders", "Item": {"id": {"S": "a"}}, "ConditionExpression": condition});
    if !names.is_null() {
        input["ExpressionAttributeNames"] = names;
    }
    if !values.is_null() {
        input["ExpressionAttributeValues"] = values;
    }
    endpoint.invalid("PutItem", input).await
}

#[tokio::test]
async fn malformed_conditions_are_refused_in_awss_words() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let a = json!({":a": {"S": "x"}});
    let none = Json::Null;
    let cases = [
        (
            "",
            &none,
            &none,
            "Invalid ConditionExpression: The expression can not be empty;",
        ),
        (
            "name = :a",
            &none,
            &a,
            "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: name",
        ),
        (
            "id = ",
            &none,
            &none,
            "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"= \"",
        ),
        (
            "id == :a",
            &none,
            &a,
            "Invalid ConditionExpression: Syntax error; token: \"=\", near: \"== :a\"",
        ),
        (
            "id = :b",
            &none,
            &a,
            "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :b",
        ),
        (
            "#x = :a",
            &none,
            &a,
            "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #x",
        ),
        (
            "attribute_exists(id)",
            &none,
            &a,
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}",
        ),
        (
            "foo(id)",
            &none,
            &none,
            "Invalid ConditionExpression: Invalid function name; function: foo",
        ),
        (
            "size(id)",
            &none,
            &none,
            "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \")\"",
        ),
        (
            "attribute_exists(:a)",
            &none,
            &a,
            "Invalid ConditionExpression: Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "begins_with(id)",
            &none,
            &none,
            "Invalid ConditionExpression: Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
        ),
        (
            "id = id",
            &none,
            &none,
            "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [id]",
        ),
        (
            "((id = :a))",
            &none,
            &a,
            "Invalid ConditionExpression: The expression has redundant parentheses;",
        ),
        (
            "attribute_type(id, :a)",
            &none,
            &a,
            "Invalid ConditionExpression: Invalid attribute type name found; type: x, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
    ];
    for (condition, names, values, message) in cases {
        assert_eq!(
            refused(&endpoint, condition, names.clone(), values.clone()).await,
            message,
            "{condition}"
        );
    }
    assert_eq!(
        refused(&endpoint, "id = :a", none.clone(), json!({":a": {"N": "x"}})).await,
        "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :a"
    );
    assert_eq!(
        refused(&endpoint, "id = :a", json!({"x": "id"}), a.clone()).await,
        "ExpressionAttributeNames contains invalid key: Syntax error; key: \"x\""
    );
    let without = json!({"TableName": "orders", "Item": {"id": {"S": "a"}}, "ExpressionAttributeValues": a});
    assert_eq!(
        endpoint.invalid("PutItem", without).await,
        "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"
    );
}

#[tokio::test]
async fn extreme_expressions_are_refused_not_followed() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let a = json!({":a": {"S": "x"}});
    for condition in [
        format!("{}id = :a{}", "(".repeat(1000), ")".repeat(1000)),
        "(".repeat(4000),
        format!("{}id = :a", "NOT ".repeat(1000)),
        format!("id = :a{}", " OR id = :a".repeat(350)),
        format!("attribute_exists(a{})", ".b".repeat(1000)),
        format!("attribute_exists(a{})", "[0]".repeat(1000)),
        format!("attribute_exists({})", "x".repeat(5000)),
        "size(".repeat(800),
    ] {
        let message = refused(&endpoint, &condition, Json::Null, a.clone()).await;
        assert!(message.starts_with("Invalid ConditionExpression: "), "{message}");
    }
    let update = json!({
        "TableName": "orders", "Key": {"id": {"S": "a"}}, "UpdateExpression": format!("SET a = {}", "if_not_exists(a,".repeat(250)),
    });
    assert!(
        endpoint
            .invalid("UpdateItem", update)
            .await
            .starts_with("Invalid UpdateExpression: ")
    );
}

async fn updated(endpoint: &Endpoint, before: Json, update: &str, values: Json) -> Result<Json, String> {
    let mut item = before;
    item["id"] = json!({"S": "a"});
    endpoint.put("orders", item).await;
    let mut input = json!({
        "TableName": "orders", "Key": {"id": {"S": "a"}}, "UpdateExpression": update, "ReturnValues": "ALL_NEW",
    });
    if !values.is_null() {
        input["ExpressionAttributeValues"] = values;
    }
    match endpoint.call("UpdateItem", input).await {
        Ok(output) => {
            let mut attributes = output["Attributes"].clone();
            attributes.as_object_mut().unwrap().remove("id");
            Ok(attributes)
        }
        Err(error) => Err(error.message().to_owned()),
    }
}

#[tokio::test]
async fn what_updates_do() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let list = json!({"l": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}});
    let set = json!({"s": {"SS": ["x", "y"]}});
    let cases = [
        (
            json!({}),
            "SET a = :v, b = :w",
            json!({":v": {"N": "1"}, ":w": {"S": "x"}}),
            json!({"a": {"N": "1"}, "b": {"S": "x"}}),
        ),
        (
            json!({"a": {"N": "0.1"}}),
            "SET a = a + :v",
            json!({":v": {"N": "0.2"}}),
            json!({"a": {"N": "0.3"}}),
        ),
        (
            json!({"a": {"N": "1"}}),
            "SET a = :v - a",
            json!({":v": {"N": "5"}}),
            json!({"a": {"N": "4"}}),
        ),
        (
            json!({"a": {"N": "1"}, "b": {"N": "2"}}),
            "SET a = b, b = a",
            Json::Null,
            json!({"a": {"N": "2"}, "b": {"N": "1"}}),
        ),
        (
            list.clone(),
            "SET l[1] = :v",
            json!({":v": {"S": "x"}}),
            json!({"l": {"L": [{"N": "0"}, {"S": "x"}, {"N": "2"}]}}),
        ),
        (
            list.clone(),
            "SET l[9] = :v, l[7] = :w",
            json!({":v": {"N": "9"}, ":w": {"N": "7"}}),
            json!({"l": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}, {"N": "7"}, {"N": "9"}]}}),
        ),
        (
            list.clone(),
            "REMOVE l[0], l[2]",
            Json::Null,
            json!({"l": {"L": [{"N": "1"}]}}),
        ),
        (
            list,
            "SET l = list_append(:v, l)",
            json!({":v": {"L": [{"S": "first"}]}}),
            json!({"l": {"L": [{"S": "first"}, {"N": "0"}, {"N": "1"}, {"N": "2"}]}}),
        ),
        (
            json!({"m": {"M": {}}}),
            "SET m.k = :v",
            json!({":v": {"N": "1"}}),
            json!({"m": {"M": {"k": {"N": "1"}}}}),
        ),
        (
            set.clone(),
            "ADD s :v",
            json!({":v": {"SS": ["y", "z"]}}),
            json!({"s": {"SS": ["x", "y", "z"]}}),
        ),
        (
            set.clone(),
            "DELETE s :v",
            json!({":v": {"SS": ["x"]}}),
            json!({"s": {"SS": ["y"]}}),
        ),
        (set, "DELETE s :v", json!({":v": {"SS": ["x", "y"]}}), json!({})),
        (
            json!({}),
            "ADD n :v",
            json!({":v": {"N": "5"}}),
            json!({"n": {"N": "5"}}),
        ),
        (
            json!({"a": {"N": "1"}}),
            "REMOVE a SET b = :v",
            json!({":v": {"BOOL": false}}),
            json!({"b": {"BOOL": false}}),
        ),
    ];
    for (before, update, values, after) in cases {
        assert_eq!(
            updated(&endpoint, before, update, values).await,
            Ok(after),
            "{update}"
        );
    }
}

#[tokio::test]
async fn what_updates_refuse() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let one = json!({":v": {"N": "1"}});
    let text = json!({":v": {"S": "x"}});
    let cases = [
        (
            json!({}),
            "SET a = b + :v",
            &one,
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            json!({"b": {"S": "x"}}),
            "SET a = b + :v",
            &one,
            "An operand in the update expression has an incorrect data type",
        ),
        (
            json!({}),
            "SET m.k = :v",
            &one,
            "The document path provided in the update expression is invalid for update",
        ),
        (
            json!({}),
            "SET a = a + :v",
            &text,
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S",
        ),
        (
            json!({}),
            "ADD a :v",
            &text,
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            json!({}),
            "DELETE a :v",
            &one,
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        (
            json!({}),
            "SET id = :v",
            &text,
            "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key",
        ),
        (
            json!({}),
            "SET a = :v SET b = :v",
            &one,
            "Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;",
        ),
        (
            json!({}),
            "SET a = :v, a.b = :v",
            &one,
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
        ),
        (
            json!({"a": {"N": "1e50"}}),
            "SET a = a + :v",
            &one,
            "Attempting to store more than 38 significant digits in a Number",
        ),
        (
            json!({}),
            "SET data = :v",
            &one,
            "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: data",
        ),
        (
            json!({}),
            "FOO a",
            &one,
            "Invalid UpdateExpression: Syntax error; token: \"FOO\", near: \"FOO a\"",
        ),
    ];
    for (before, update, values, message) in cases {
        assert_eq!(
            updated(&endpoint, before, update, values.clone()).await,
            Err(message.to_owned()),
            "{update}"
        );
    }
}
