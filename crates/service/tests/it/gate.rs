//! Tables of needs and policies.

use std::sync::Arc;

use rolecall_policy::{
    CompiledPolicy, Context, Document, DocumentKind, Policies, Principal, ResourcePolicyKind,
};
use rolecall_service::{Access, AttachedPolicy, Denial, Needs, Permit, Requirement, gate};

const ACCOUNT: &str = "123456789012";
const BUCKET: &str = "arn:aws:s3:::orders";
const OBJECT: &str = "arn:aws:s3:::orders/key";

fn ada() -> Principal {
    Principal::User {
        account: ACCOUNT.to_owned(),
        arn: format!("arn:aws:iam::{ACCOUNT}:user/ada"),
        name: "ada".to_owned(),
        id: Some("AIDAEXAMPLE".to_owned()),
    }
}

fn identity(statements: &str) -> Arc<CompiledPolicy> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = Document::parse(&text, DocumentKind::Identity).unwrap();
    Arc::new(CompiledPolicy::compile(&document, "identity"))
}

fn attached(statements: &str) -> AttachedPolicy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = Document::parse(&text, DocumentKind::Resource).unwrap();
    AttachedPolicy {
        policy: Arc::new(CompiledPolicy::compile(&document, "resource")),
        kind: ResourcePolicyKind::Resource,
    }
}

fn decide(
    principal: &Principal,
    global: &Context,
    statements: &str,
    needs: impl Into<Needs>,
) -> Result<Permit, Box<Denial>> {
    let policies = if statements.is_empty() {
        Vec::new()
    } else {
        vec![identity(statements)]
    };
    let view = Policies {
        identity: &policies,
        ..Policies::default()
    };
    gate::authorise(principal, global, view, ACCOUNT, needs.into())
}

fn as_ada(statements: &str, needs: impl Into<Needs>) -> Result<Permit, Box<Denial>> {
    decide(&ada(), &Context::new(), statements, needs)
}

const GET: &str = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
const NEVER: &str = r#"{"Sid":"Never","Effect":"Deny","Action":"*","Resource":"*"}"#;

#[test]
fn what_everybody_may_needs_no_policy() {
    let needs = || Needs::Always {
        action: "sts:GetCallerIdentity",
    };
    for statements in ["", GET, NEVER] {
        let permit = as_ada(statements, needs()).unwrap();
        let [decided] = permit.decided() else {
            panic!("one decision");
        };
        assert_eq!(
            (decided.action.as_str(), decided.allowed),
            ("sts:GetCallerIdentity", true)
        );
    }
}

/// An operation that names nothing is not one that needs nothing, not even for the root user.
#[test]
fn no_needs_are_denied() {
    let root = Principal::Root {
        account: ACCOUNT.to_owned(),
    };
    for principal in [ada(), root, Principal::Anonymous] {
        let denial = decide(&principal, &Context::new(), GET, Vec::new()).unwrap_err();
        assert!(denial.decided.is_empty());
        assert!(!denial.message.is_empty());
    }
}

#[test]
fn every_required_access_must_be_allowed() {
    let get = || Access::new("s3:GetObject", OBJECT);
    let put = || Access::new("s3:PutObject", OBJECT);
    let tag = || Access::new("s3:PutObjectTagging", OBJECT);
    // (needs, allowed, how many are decided)
    for (needs, allowed, decided) in [
        (vec![get()], true, 1),
        (vec![put()], false, 1),
        (vec![get(), put()], false, 2),
        (vec![put(), get()], false, 1),
        (vec![get(), put(), tag()], false, 2),
        (vec![put().probe()], true, 1),
        (vec![put().probe(), get()], true, 2),
        (vec![get(), put().probe(), tag()], false, 3),
    ] {
        match as_ada(GET, needs.clone()) {
            Ok(permit) => assert_eq!((allowed, decided), (true, permit.decided().len()), "{needs:?}"),
            Err(denial) => {
                assert_eq!((allowed, decided), (false, denial.decided.len()), "{needs:?}");
                let last = denial.decided.last().unwrap();
                assert!(!last.allowed && !last.probe);
                assert_eq!(last.message.as_deref(), Some(denial.message.as_str()));
            }
        }
    }
}

#[test]
fn a_probe_is_answered_and_denies_nothing() {
    let needs = vec![
        Access::new("s3:GetObject", OBJECT),
        Access::new("s3:ListBucket", BUCKET).probe(),
    ];
    let permit = as_ada(GET, needs.clone()).unwrap();
    assert!(permit.allows("s3:GetObject", OBJECT));
    assert!(permit.allows("S3:getobject", OBJECT));
    assert!(!permit.allows("s3:GetObject", BUCKET));
    assert!(!permit.allows("s3:ListBucket", BUCKET));
    assert!(
        !permit.allows("s3:DeleteObject", OBJECT),
        "what was not asked is not allowed"
    );
    let sentence = permit.denial_of("s3:ListBucket", BUCKET).unwrap();
    assert!(sentence.contains("s3:ListBucket on resource"), "{sentence}");
    assert_eq!(permit.denial_of("s3:GetObject", OBJECT), None);
    assert!(permit.decided()[1].probe);
    let all = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    assert!(as_ada(all, needs).unwrap().allows("s3:ListBucket", BUCKET));
    assert_eq!(
        Access::new("s3:ListBucket", BUCKET).requirement,
        Requirement::Required
    );
}

#[test]
fn the_resource_s_policy_counts_for_its_own_access_only() {
    let grants = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ada"},"Action":"s3:*","Resource":"*"}"#;
    let refuses = r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}"#;
    let get = || Access::new("s3:GetObject", OBJECT);
    let put = || Access::new("s3:PutObject", OBJECT);
    // (identity policy, needs, allowed)
    for (statements, needs, allowed) in [
        ("", vec![get()], false),
        ("", vec![get().with_policy(Some(attached(grants)))], true),
        ("", vec![get().with_policy(Some(attached(grants))), put()], false),
        (GET, vec![get().with_policy(Some(attached(refuses)))], true),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            vec![get(), put().with_policy(Some(attached(refuses)))],
            false,
        ),
        (NEVER, vec![get().with_policy(Some(attached(grants)))], false),
    ] {
        let outcome = as_ada(statements, needs.clone());
        assert_eq!(outcome.is_ok(), allowed, "{statements} {needs:?} {outcome:?}");
    }
    let denial = as_ada("", get().with_policy(Some(attached(refuses)))).unwrap_err();
    assert!(!denial.decided[0].explicit);
    let denial = as_ada(GET, put().with_policy(Some(attached(refuses)))).unwrap_err();
    assert!(denial.decided[0].explicit);
    assert_eq!(denial.decided[0].layer, "resource");
}

#[test]
fn keys_and_tags_of_an_access_are_its_own() {
    let by_tag = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"blue"}}}"#;
    let by_prefix = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"s3:prefix":"home/*"}}}"#;
    let by_region = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}"#;
    let by_tag_keys = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]},"Null":{"aws:TagKeys":"false"}}}"#;
    let list = || Access::new("s3:ListBucket", BUCKET);
    let tagged = |value: &str| list().with_tags([("team".to_owned(), value.to_owned())]);
    let keys =
        |keys: &[&str]| list().with_keys("aws:TagKeys", keys.iter().map(|key| (*key).to_owned()).collect());
    let global = Context::new().with("aws:RequestedRegion", "eu-west-1");
    for (statements, needs, allowed) in [
        (by_tag, vec![list()], false),
        (by_tag, vec![tagged("blue")], true),
        (by_tag, vec![tagged("red")], false),
        (by_tag, vec![tagged("blue"), list()], false),
        (by_tag, vec![tagged("blue"), tagged("red")], false),
        (by_prefix, vec![list().with_key("s3:prefix", "home/ada/")], true),
        (by_prefix, vec![list().with_key("s3:prefix", "etc/")], false),
        (
            by_prefix,
            vec![list().with_key("s3:prefix", "home/"), list()],
            false,
        ),
        (by_region, vec![list()], true),
        (by_region, vec![tagged("any")], true),
        (by_tag_keys, vec![list()], false),
        (by_tag_keys, vec![keys(&["team"])], true),
        (by_tag_keys, vec![keys(&["team", "cost"])], true),
        (by_tag_keys, vec![keys(&["team", "owner"])], false),
    ] {
        let outcome = decide(&ada(), &global, statements, needs.clone());
        assert_eq!(outcome.is_ok(), allowed, "{statements} {needs:?}");
    }
}

#[test]
fn another_account_s_resource_needs_both() {
    let grants = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ada"},"Action":"s3:*","Resource":"*"}"#;
    let theirs = || Access::new("s3:GetObject", OBJECT).owned_by("210987654321");
    for (statements, access, allowed) in [
        (GET, theirs(), false),
        ("", theirs().with_policy(Some(attached(grants))), false),
        (GET, theirs().with_policy(Some(attached(grants))), true),
        (GET, Access::new("s3:GetObject", OBJECT), true),
    ] {
        assert_eq!(as_ada(statements, access).is_ok(), allowed);
    }
    // Root is root in its own account.
    let root = Principal::Root {
        account: ACCOUNT.to_owned(),
    };
    assert!(decide(&root, &Context::new(), "", Access::new("s3:GetObject", OBJECT)).is_ok());
    assert!(decide(&root, &Context::new(), "", theirs()).is_err());
}

#[test]
fn sentences() {
    let user = "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: s3:GetObject on resource: \
                \"arn:aws:s3:::orders/key\"";
    let plain = user.replace('"', "");
    let get = || Access::new("s3:GetObject", OBJECT);
    let implicit = as_ada("", get()).unwrap_err().message;
    assert!(
        implicit.replace('"', "").starts_with(&plain)
            && implicit.ends_with("because no identity-based policy allows the s3:GetObject action"),
        "{implicit}"
    );
    let explicit = as_ada(&format!("{GET},{NEVER}"), get()).unwrap_err();
    assert!(
        explicit
            .message
            .contains("with an explicit deny in an identity-based policy"),
        "{}",
        explicit.message
    );
    assert!(
        explicit.decided[0]
            .statement
            .as_deref()
            .unwrap()
            .contains("Never")
    );
    let anonymous = decide(&Principal::Anonymous, &Context::new(), "", get()).unwrap_err();
    assert!(!anonymous.message.is_empty());
}
