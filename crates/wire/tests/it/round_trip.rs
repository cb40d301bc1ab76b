//! Typed value → bytes → typed value, for JSON and XML.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rolecall_wire::{AttributeValue, FromValue, IntoValue, decode, encode};

use crate::models::{self, dynamodb, dynamodb_request, request, s3};

fn attribute() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        any::<String>().prop_map(AttributeValue::S),
        "-?[0-9]{1,20}".prop_map(AttributeValue::N),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| AttributeValue::B(bytes.into())),
        any::<bool>().prop_map(AttributeValue::Bool),
        prop::collection::vec(any::<String>(), 0..3).prop_map(AttributeValue::Ss),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(AttributeValue::M),
        ]
    })
}

/// Text that XML can carry as it is: no control characters.
fn text() -> impl Strategy<Value = String> {
    "[ -~\u{A0}-\u{D7FF}\u{10000}-\u{10FFFF}]{0,12}"
}

proptest! {
    #[test]
    fn items(item in prop::collection::btree_map("[a-z]{1,5}", attribute(), 0..5)) {
        let model = models::model("dynamodb");
        // Request and answer write an item the same way: what GetItem answers is what PutItem reads.
        let output = dynamodb::GetItemOutput { item: Some(item.clone()), ..Default::default() };
        let answer = encode(model, model.operation("GetItem").unwrap(), output.into_value(), "id").unwrap();
        let json = String::from_utf8(answer.body.read_all(1 << 20).unwrap().to_vec()).unwrap();
        let body = json.replacen('{', "{\"TableName\":\"Orders\",", 1);
        let put = model.operation("PutItem").unwrap();
        let input = decode(model, put, &dynamodb_request("PutItem", body.as_bytes())).unwrap();
        prop_assert_eq!(dynamodb::PutItemInput::from_value(input).unwrap().item, item);
    }

    #[test]
    fn tags(tags in prop::collection::vec((text(), text()), 0..6)) {
        let model = models::model("s3");
        let tag_set: Vec<s3::Tag> = tags.into_iter().map(|(key, value)| s3::Tag { key, value }).collect();
        let output = s3::GetObjectTaggingOutput { tag_set: tag_set.clone(), version_id: None };
        let answer = encode(model, model.operation("GetObjectTagging").unwrap(), output.into_value(), "id").unwrap();
        let body = answer.body.read_all(1 << 20).unwrap();
        let put = model.operation("PutObjectTagging").unwrap();
        let input = decode(model, put, &request("PUT", "/orders/k", "tagging", &[], &body)).unwrap();
        prop_assert_eq!(s3::PutObjectTaggingInput::from_value(input).unwrap().tagging.tag_set, tag_set);
    }

    #[test]
    fn structures(names in prop::collection::btree_map("#[a-z]{1,4}", any::<String>(), 1..4), table in "[a-z]{3,9}") {
        let input = dynamodb::GetItemInput {
            table_name: table,
            key: BTreeMap::new(),
            expression_attribute_names: Some(names),
            consistent_read: Some(true),
            ..Default::default()
        };
        prop_assert_eq!(dynamodb::GetItemInput::from_value(input.clone().into_value()).unwrap(), input);
    }
}
