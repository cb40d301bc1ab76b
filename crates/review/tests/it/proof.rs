//! When a proof holds.

use rolecall_review::{Proof, ProofVerdict, RemovalOutcome, usage};

use crate::records::{ROLE, allowed, denied, record};

fn removal(is_denied: bool) -> RemovalOutcome {
    let put = if is_denied {
        denied("s3:PutObject", "*")
    } else {
        allowed("s3:PutObject", "*")
    };
    let records = [
        record(
            "GetObject",
            vec![if is_denied {
                denied("s3:GetObject", "*")
            } else {
                allowed("s3:GetObject", "*")
            }],
        ),
        record("PutObject", vec![put]),
    ];
    RemovalOutcome::new("s3:putobject", &usage(&records, ROLE))
}

#[test]
fn the_denial_of_the_removed_action_is_shown_first() {
    let needed = removal(true);
    assert!(needed.denied);
    assert_eq!(needed.by.unwrap().action, "s3:PutObject");
    let needless = removal(false);
    assert!(!needless.denied && needless.by.is_none());
}

#[test]
fn the_verdict_needs_all_of_it() {
    let denials = usage(&[record("GetObject", vec![denied("s3:GetObject", "*")])], ROLE).calls;
    let proof = |same_result, denials, removals| {
        Proof {
            same_result,
            denials,
            removals,
        }
        .verdict()
    };
    assert_eq!(
        proof(true, vec![], vec![removal(true), removal(true)]),
        ProofVerdict::Holds
    );
    assert_eq!(proof(true, vec![], vec![]), ProofVerdict::Holds);
    assert_eq!(proof(false, vec![], vec![removal(true)]), ProofVerdict::NotEnough);
    assert_eq!(proof(true, denials, vec![removal(true)]), ProofVerdict::NotEnough);
    assert_eq!(
        proof(true, vec![], vec![removal(true), removal(false)]),
        ProofVerdict::TooMuch
    );
}
