//! Resource-based policies, and what they let others do.

use rolecall_wire::Value;

use crate::block_on;
use crate::world::{World, get, structure, text, with};

const HANDLER: &str = "def handler(event, context):\n    return event\n";
const NOBODY: &str = r#"{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}"#;

fn permission(id: &str, principal: &str) -> Value {
    structure([
        ("FunctionName", text("orders")),
        ("StatementId", text(id)),
        ("Action", text("lambda:InvokeFunction")),
        ("Principal", text(principal)),
    ])
}

fn dry_run(name: &str) -> Value {
    structure([("FunctionName", text(name)), ("InvocationType", text("DryRun"))])
}

#[test]
fn a_statement_lets_a_user_invoke_until_it_is_removed() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        let ann = world.user("ann", NOBODY).await;
        ann.call("Invoke", dry_run("orders")).await.denial();

        let user = "arn:aws:iam::123456789012:user/ann";
        let added = world
            .call("AddPermission", permission("ann", user))
            .await
            .output();
        assert!(get(&added, &["Statement"]).contains(user));
        ann.call("Invoke", dry_run("orders")).await.output();
        // The policy is the unqualified function's.
        ann.call("Invoke", dry_run("orders:$LATEST")).await.denial();

        let (code, status, _) = world.call("AddPermission", permission("ann", user)).await.error();
        assert_eq!((code.as_str(), status), ("ResourceConflictException", 409));

        let world = world.restarted().await;
        let named = structure([("FunctionName", text("orders"))]);
        let policy = world.call("GetPolicy", named.clone()).await.output();
        let document: serde_json::Value = serde_json::from_str(get(&policy, &["Policy"])).unwrap();
        assert_eq!(document["Statement"][0]["Principal"]["AWS"], user);

        let removal = with(named.clone(), "StatementId", text("ann"));
        world.call("RemovePermission", removal.clone()).await.output();
        let (code, _, message) = world.call("GetPolicy", named).await.error();
        assert_eq!(code, "ResourceNotFoundException");
        assert_eq!(message, "The resource you requested does not exist.");
        let (_, _, message) = world.call("RemovePermission", removal).await.error();
        assert_eq!(message, "No policy is associated with the given resource.");
    });
}

#[test]
fn a_new_user_of_the_same_name_inherits_nothing() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        world.user("ann", NOBODY).await;
        world
            .call(
                "AddPermission",
                permission("ann", "arn:aws:iam::123456789012:user/ann"),
            )
            .await
            .output();
        world.delete_user("ann").await;
        let ann = world.user("ann", NOBODY).await;
        ann.call("Invoke", dry_run("orders")).await.denial();
    });
}

#[test]
fn who_may_remove_a_permission_can_be_told_by_its_principal() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        for (id, service) in [("s3", "s3.amazonaws.com"), ("sns", "sns.amazonaws.com")] {
            world
                .call("AddPermission", permission(id, service))
                .await
                .output();
        }
        let remove_s3 = r#"{"Effect":"Allow","Action":"lambda:RemovePermission","Resource":"*","Condition":{"StringEquals":{"lambda:Principal":"s3.amazonaws.com"}}}"#;
        let ann = world.user("ann", remove_s3).await;
        let removal = |id: &str| structure([("FunctionName", text("orders")), ("StatementId", text(id))]);
        ann.call("RemovePermission", removal("sns")).await.denial();
        ann.call("RemovePermission", removal("s3")).await.output();
    });
}

#[test]
fn principals_that_are_not_there_are_refused() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        for principal in ["arn:aws:iam::123456789012:user/nobody", "somebody"] {
            let (code, _, message) = world
                .call("AddPermission", permission("s", principal))
                .await
                .error();
            assert_eq!(code, "InvalidParameterValueException");
            assert_eq!(
                message,
                "The provided principal was invalid. Please check the principal and try again."
            );
        }
    });
}
