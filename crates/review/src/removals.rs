//! The least policy with one action taken away, for each of its actions.

use rolecall_policy::{Document, Effect, Texts};

use crate::least::LeastPolicy;

/// The least policy without one of its actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The action taken away, from every statement that named it.
    pub action: String,
    /// What is left, to be attached as the whole was; none when this was the only action.
    pub documents: Vec<Document>,
}

/// Takes each action of `policy` away in turn, one at a time, in the order of their names.
///
/// Statements and documents that name nothing else disappear with it: IAM takes no statement without an action.
pub fn removals(policy: &LeastPolicy) -> Vec<Removal> {
    policy
        .actions
        .iter()
        .map(|action| Removal {
            action: action.clone(),
            documents: policy
                .documents
                .iter()
                .filter_map(|document| without(document, action))
                .collect(),
        })
        .collect()
}

fn without(document: &Document, action: &str) -> Option<Document> {
    let mut rest = document.clone();
    for statement in &mut rest.statements {
        let kept = statement
            .action
            .value
            .iter()
            .filter(|named| !named.eq_ignore_ascii_case(action));
        statement.action.value = Texts::list(kept.map(str::to_owned).collect());
    }
    rest.statements.retain(|statement| {
        statement.effect != Effect::Allow || !statement.action.value.as_slice().is_empty()
    });
    (!rest.statements.is_empty()).then_some(rest)
}
