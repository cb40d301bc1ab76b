//! Looking events up: order, time, attributes, pages.

use rolecall_trail::{EventCategory, LookupAttribute as By, LookupFilter, Recorder, lookup};

use crate::support::{block_on, days_ago, event, now, record, recorder};

fn names(recorder: &Recorder, filter: &LookupFilter) -> (Vec<String>, Option<String>) {
    let page = lookup(recorder, filter, now()).unwrap().unwrap();
    let names = page.events.into_iter().map(|event| event.event_name).collect();
    (names, page.next_token)
}

fn up_to(limit: usize) -> LookupFilter {
    LookupFilter {
        limit,
        ..LookupFilter::default()
    }
}

#[test]
fn ninety_days_of_management_events_newest_first() {
    block_on(async {
        let recorder = recorder();
        for (days, name) in [(92, "TooOld"), (91, "AlsoTooOld"), (89, "Old"), (1, "Yesterday")] {
            record(&recorder, event(days_ago(days), name)).await;
        }
        let mut data = event(now(), "Data");
        data.event_category = EventCategory::Data;
        record(&recorder, data).await;
        record(&recorder, event(now(), "Now")).await;
        assert_eq!(
            names(&recorder, &up_to(50)),
            (vec!["Now".into(), "Yesterday".into(), "Old".into()], None)
        );
        let between = LookupFilter {
            start: Some(days_ago(2)),
            end: Some(days_ago(1)),
            ..up_to(50)
        };
        assert_eq!(names(&recorder, &between).0, ["Yesterday"]);
    });
}

#[test]
fn pages_have_every_event_once() {
    block_on(async {
        let recorder = recorder();
        let all: Vec<String> = (0..25).rev().map(|number| format!("Event{number}")).collect();
        for name in all.iter().rev() {
            record(&recorder, event(now(), name)).await;
        }
        for limit in [1, 7, 25, 26] {
            let mut filter = up_to(limit);
            let mut seen = Vec::new();
            loop {
                let (page, token) = names(&recorder, &filter);
                assert!(page.len() <= limit);
                seen.extend(page);
                match token {
                    Some(token) => filter.token = Some(token),
                    None => break,
                }
            }
            assert_eq!(seen, all, "{limit} a page");
        }
        // A new event does not move the pages.
        let (_, token) = names(&recorder, &up_to(5));
        record(&recorder, event(now(), "Newer")).await;
        let next = LookupFilter { token, ..up_to(5) };
        assert_eq!(names(&recorder, &next).0, all[5..10]);
        assert_eq!(names(&recorder, &up_to(0)).0.len(), 1);
        let made_up = LookupFilter {
            token: Some("made up".to_owned()),
            ..up_to(5)
        };
        assert!(lookup(&recorder, &made_up, now()).unwrap().is_err());
    });
}

#[test]
fn attributes() {
    block_on(async {
        let recorder = recorder();
        let mut ada = event(now(), "CreateRole");
        ada.user_identity.kind = "IAMUser".to_owned();
        ada.user_identity.user_name = Some("ada".to_owned());
        ada.user_identity.access_key_id = Some("AKIAADA".to_owned());
        record(&recorder, ada).await;
        let mut session = event(now(), "ListRoles");
        session.user_identity.kind = "AssumedRole".to_owned();
        session.user_identity.principal_id = Some("AROAEXAMPLE:shift".to_owned());
        session.read_only = true;
        session.resources.clear();
        record(&recorder, session).await;
        let role_arn = "arn:aws:iam::123456789012:role/team/worker";
        for (attribute, found) in [
            (By::EventId("id-of-CreateRole".into()), Some("CreateRole")),
            (By::EventId("id".into()), None),
            (By::EventName("ListRoles".into()), Some("ListRoles")),
            (By::EventName("listroles".into()), None),
            (By::ReadOnly("true".into()), Some("ListRoles")),
            (By::ReadOnly("false".into()), Some("CreateRole")),
            (By::Username("ada".into()), Some("CreateRole")),
            (By::Username("shift".into()), Some("ListRoles")),
            (By::ResourceType("AWS::IAM::Role".into()), Some("CreateRole")),
            (By::ResourceName("worker".into()), Some("CreateRole")),
            (By::ResourceName(role_arn.into()), Some("CreateRole")),
            (By::ResourceName("team/worker".into()), None),
            (By::EventSource("s3.amazonaws.com".into()), None),
            (By::AccessKeyId("AKIAADA".into()), Some("CreateRole")),
            (By::AccessKeyId(String::new()), None),
        ] {
            let filter = LookupFilter {
                attribute: Some(attribute.clone()),
                ..up_to(50)
            };
            let expected: Vec<&str> = found.into_iter().collect();
            assert_eq!(names(&recorder, &filter).0, expected, "{attribute:?}");
        }
    });
}
