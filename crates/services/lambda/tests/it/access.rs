//! What operations need, and who is refused.

use rolecall_service_lambda::OPERATIONS;
use rolecall_wire::Value;

use crate::block_on;
use crate::world::{ROLE, World, creation, structure, text, with};

const HANDLER: &str = "def handler(event, context):\n    return event\n";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:orders";

#[test]
fn creating_needs_the_right_to_pass_the_role() {
    block_on(async {
        let world = World::new().await;
        let create = r#"{"Effect":"Allow","Action":"lambda:CreateFunction","Resource":"*"}"#;
        let ann = world.user("ann", create).await;
        let denial = ann
            .call("CreateFunction", creation("orders", HANDLER))
            .await
            .denial();
        assert!(
            denial.contains("iam:PassRole") && denial.contains(ROLE),
            "{denial}"
        );

        let pass = |service: &str| {
            format!(
                r#"{create},{{"Effect":"Allow","Action":"iam:PassRole","Resource":"{ROLE}","Condition":{{"StringEquals":{{"iam:PassedToService":"{service}"}},"ArnEquals":{{"iam:AssociatedResourceArn":"{ARN}"}}}}}}"#
            )
        };
        let bob = world.user("bob", &pass("ec2.amazonaws.com")).await;
        bob.call("CreateFunction", creation("orders", HANDLER))
            .await
            .denial();
        let eve = world.user("eve", &pass("lambda.amazonaws.com")).await;
        let tagged = with(
            creation("orders", HANDLER),
            "Tags",
            structure([("team", text("shop"))]),
        );
        let denial = eve.call("CreateFunction", tagged).await.denial();
        assert!(denial.contains("lambda:TagResource"), "{denial}");
        eve.call("CreateFunction", creation("orders", HANDLER))
            .await
            .output();
    });
}

type Expected<'a> = &'a [(&'a str, &'a str)];

#[test]
fn the_resource_is_what_the_request_names() {
    block_on(async {
        let world = World::new().await;
        let named = |name: &str| structure([("FunctionName", text(name))]);
        let qualified = |name: &str, qualifier: &str| with(named(name), "Qualifier", text(qualifier));
        let version = format!("{ARN}:1");
        let foreign = "arn:aws:lambda:us-east-1:999999999999:function:orders";
        let cases: [(&str, Value, Expected<'_>); 8] = [
            ("Invoke", named("orders"), &[("lambda:InvokeFunction", ARN)]),
            (
                "Invoke",
                qualified("orders", "1"),
                &[("lambda:InvokeFunction", &version)],
            ),
            ("Invoke", named(foreign), &[("lambda:InvokeFunction", foreign)]),
            ("GetFunction", named(ARN), &[("lambda:GetFunction", ARN)]),
            (
                "DeleteFunction",
                qualified("orders", "1"),
                &[("lambda:DeleteFunction", &version)],
            ),
            ("ListFunctions", structure([]), &[("lambda:ListFunctions", "*")]),
            (
                "UpdateFunctionConfiguration",
                named("orders"),
                &[("lambda:UpdateFunctionConfiguration", ARN)],
            ),
            (
                "UpdateFunctionConfiguration",
                with(named("orders"), "Role", text(ROLE)),
                &[
                    ("lambda:UpdateFunctionConfiguration", ARN),
                    ("iam:PassRole", ROLE),
                ],
            ),
        ];
        for (operation, input, expected) in cases {
            let found = world.needs(operation, input).await;
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|(action, resource)| (action.as_str(), resource.as_str()))
                .collect();
            assert_eq!(found, expected, "{operation}");
        }
    });
}

/// An operation with shapes in the model is one that is served.
#[test]
fn every_operation_with_shapes_has_a_row() {
    block_on(async {
        let world = World::new().await;
        let mut served = world.served_operations();
        let mut rows: Vec<&str> = OPERATIONS.iter().map(|entry| entry.name).collect();
        served.sort_unstable();
        rows.sort_unstable();
        assert_eq!(rows, served);
    });
}

/// The service authorization reference knows each action, and lists resources for exactly those that ask about one.
#[test]
fn actions_and_resources_are_those_of_the_reference() {
    block_on(async {
        let world = World::new().await;
        let tags = structure([("team", text("shop"))]);
        let input = structure([
            ("FunctionName", text("orders")),
            ("Resource", text(ARN)),
            ("Role", text(ROLE)),
            ("Code", structure([])),
            ("StatementId", text("s")),
            ("Action", text("lambda:InvokeFunction")),
            ("Principal", text("s3.amazonaws.com")),
            ("Tags", tags),
            ("TagKeys", Value::List(vec![text("team")])),
            ("ReservedConcurrentExecutions", Value::Integer(1)),
        ]);
        for entry in OPERATIONS {
            let needs = world.needs(entry.name, input.clone()).await;
            assert!(!needs.is_empty(), "{}", entry.name);
            for (action, resource) in needs {
                let known =
                    rolecall_catalog::action(&action).unwrap_or_else(|| panic!("{action} is no action"));
                assert_eq!(resource == "*", known.resource_types.is_empty(), "{action}");
            }
        }
    });
}
