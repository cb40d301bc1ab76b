//! Documents that no parser has seen, put together by a program, with what a parser would have refused: they fail closed.

use rolecall_policy::{
    CompiledPolicy, Condition, Context, Decision, Document, Effect, Policies, Principal, Request,
    ResourcePolicy, ResourcePolicyKind, Statement, Texts, decide,
};

/// A statement on everything in S3.
fn statement(effect: Effect) -> Statement {
    let mut statement = Statement::allow(None, vec!["s3:*".to_owned()], vec!["*".to_owned()]);
    statement.effect = effect;
    statement
}

fn with_unknown_operator(effect: Effect) -> Statement {
    let mut statement = statement(effect);
    statement.conditions.push(Condition {
        operator: "StringSame".to_owned(),
        key: "aws:username".to_owned(),
        values: Texts::list(vec!["ann".to_owned()]),
    });
    statement
}

/// What a resource policy of these statements, alone, decides for a user of the account and for an unsigned request.
fn decisions(statements: Vec<Statement>) -> [Decision; 2] {
    let policy = CompiledPolicy::compile(&Document::new(statements), "bucket policy");
    let user = Principal::parse("arn:aws:iam::123456789012:user/ann").unwrap();
    [user, Principal::Anonymous].map(|principal| {
        let context = Context::new();
        let request = Request {
            principal: &principal,
            action: "s3:GetObject",
            resource: "arn:aws:s3:::orders/1.json",
            resource_account: Some("123456789012"),
            context: &context,
        };
        let resource = ResourcePolicy {
            policy: &policy,
            kind: ResourcePolicyKind::Resource,
        };
        let policies = Policies {
            resource: Some(resource),
            ..Policies::default()
        };
        decide(&request, &policies)
    })
}

/// The statement, said to be about everybody.
fn for_everybody(mut statement: Statement) -> Statement {
    let text = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
    let document = Document::parse(text, rolecall_policy::DocumentKind::Resource).unwrap();
    statement
        .principal
        .clone_from(&document.statements.first().unwrap().principal);
    statement
}

#[test]
fn a_grant_to_nobody_in_particular_is_no_grant_to_everybody() {
    for decision in decisions(vec![statement(Effect::Allow)]) {
        assert!(!decision.is_allowed(), "{decision:?}");
    }
    for decision in decisions(vec![for_everybody(statement(Effect::Allow))]) {
        assert!(decision.is_allowed(), "{decision:?}");
    }
}

#[test]
fn a_denial_of_nobody_in_particular_is_one_of_everybody() {
    for decision in decisions(vec![
        for_everybody(statement(Effect::Allow)),
        statement(Effect::Deny),
    ]) {
        assert!(
            matches!(decision, Decision::Deny { explicit: true, .. }),
            "{decision:?}"
        );
    }
}

#[test]
fn an_unknown_operator_takes_a_grant_away_and_not_a_denial() {
    for decision in decisions(vec![for_everybody(with_unknown_operator(Effect::Allow))]) {
        assert!(!decision.is_allowed(), "{decision:?}");
    }
    let grant = for_everybody(statement(Effect::Allow));
    let denial = for_everybody(with_unknown_operator(Effect::Deny));
    for decision in decisions(vec![grant, denial]) {
        assert!(
            matches!(decision, Decision::Deny { explicit: true, .. }),
            "{decision:?}"
        );
    }
}

#[test]
fn names_that_only_look_like_principals_are_none() {
    for text in [
        "",
        "ann",
        "arn:aws:iam::123456789012:root/x",
        "arn:aws:iam::123456789012:user/",
        "arn:aws:iam::123456789012:user/team/",
        "arn:aws:iam::123456789012:group/g",
        "arn:aws:iam::123456789012:role/worker",
        "arn:aws:sts::123456789012:assumed-role/worker",
        "arn:aws:s3:::orders",
    ] {
        assert_eq!(Principal::parse(text), None, "{text}");
    }
    for text in [
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:user/team/ann",
        "arn:aws:sts::123456789012:assumed-role/worker/job",
        "arn:aws:sts::123456789012:federated-user/bob",
        "lambda.amazonaws.com",
    ] {
        assert_eq!(Principal::parse(text).unwrap().arn(), text);
    }
}
