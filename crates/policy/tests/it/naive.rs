//! A second evaluator, as plain as the rules: it reads the JSON of a case at every request, tries every way a pattern can
//! match, and combines the layers as sets. It shares no code with the engine and knows only what the random tests write.

use serde_json::Value;

/// `(allowed, explicitly denied)`.
pub(crate) fn decide(case: &Value) -> (bool, bool) {
    let request = Asked::new(case);
    if request.action == "sts:GetCallerIdentity" && request.kind != "anonymous" {
        return (true, false);
    }
    let service_linked = request.arn.contains(":assumed-role/AWSServiceRoleFor");
    let has_account = !request.account.is_empty();
    let levels = |name: &str| {
        case.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let scps = if has_account && !service_linked && case.get("managementAccount").is_none() {
        levels("scps")
    } else {
        Vec::new()
    };
    let supported = ["s3:", "sts:", "kms:", "sqs:"]
        .iter()
        .any(|prefix| request.action.starts_with(prefix));
    let rcps = if supported && !service_linked && case.get("resourceInManagementAccount").is_none() {
        levels("rcps")
    } else {
        Vec::new()
    };
    let list = |name: &str| case.get(name).cloned();
    let one = |name: &str| {
        case.get(name)
            .map(|document| Value::Array(vec![document.clone()]))
    };
    let (identity, resource) = (list("identityPolicies"), one("resourcePolicy"));
    let (boundary, session, endpoint) = (one("boundary"), list("sessionPolicies"), list("endpointPolicies"));

    let present = [&identity, &resource, &boundary, &session, &endpoint];
    let everything = scps.iter().chain(&rcps).chain(present.into_iter().flatten());
    if everything
        .into_iter()
        .any(|documents| !matching(documents, "Deny", &request).is_empty())
    {
        return (false, true);
    }
    let allows = |documents: &Value| !matching(documents, "Allow", &request).is_empty();
    let allows_or_absent = |documents: &Option<Value>| documents.as_ref().is_none_or(allows);
    if !scps.iter().all(allows) || !allows_or_absent(&endpoint) {
        return (false, false);
    }
    let within_limits = allows_or_absent(&boundary)
        && if request.kind == "federated-user" {
            session.as_ref().is_some_and(allows)
        } else {
            allows_or_absent(&session)
        };
    let identity_allows = request.kind == "root" || identity.as_ref().is_some_and(allows);
    let has_resource_policy = resource.is_some();
    let grants = resource
        .map(|documents| matching(&documents, "Allow", &request))
        .unwrap_or_default();
    let allowed = if !has_account {
        grants.iter().any(|grant| ["itself", "everyone"].contains(grant))
    } else if request.account != request.resource_account {
        identity_allows && within_limits && !grants.is_empty()
    } else {
        let trust = request.action.starts_with("sts:AssumeRole");
        let key = request.action.starts_with("kms:")
            && (has_resource_policy
                || request
                    .resource
                    .starts_with("arn:aws:kms:us-east-1:123456789012:key/"));
        let must_be_granted = trust || key;
        let by_resource = grants.iter().any(|grant| match *grant {
            "account" => false,
            "issuer" => within_limits,
            _ => !trust || within_limits,
        });
        by_resource || (identity_allows && within_limits && (!must_be_granted || !grants.is_empty()))
    };
    (allowed, false)
}

struct Asked<'a> {
    case: &'a Value,
    kind: &'static str,
    arn: String,
    /// The role of a session, the user of a federated one.
    issuer: String,
    account: String,
    action: String,
    resource: String,
    resource_account: String,
}

impl<'a> Asked<'a> {
    fn new(case: &'a Value) -> Self {
        let principal = &case["principal"];
        let arn = principal
            .as_str()
            .or(principal["arn"].as_str())
            .unwrap_or("anonymous")
            .to_owned();
        let parts: Vec<&str> = arn.split(':').collect();
        let account = parts.get(4).copied().unwrap_or_default().to_owned();
        let entity = parts.get(5).copied().unwrap_or_default();
        let kind = match entity.split('/').next().unwrap() {
            "root" => "root",
            "user" => "user",
            "assumed-role" => "session",
            "federated-user" => "federated-user",
            _ if arn == "anonymous" => "anonymous",
            _ => "service",
        };
        let issuer = match kind {
            "session" => format!(
                "arn:aws:iam::{account}:role/{}",
                entity.split('/').nth(1).unwrap()
            ),
            "federated-user" => principal["userArn"].as_str().unwrap().to_owned(),
            _ => String::new(),
        };
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let (action, resource, resource_account) =
            (text("action"), text("resource"), text("resourceAccount"));
        Self {
            case,
            kind,
            arn,
            issuer,
            account,
            action,
            resource,
            resource_account,
        }
    }

    fn key(&self, wanted: &str) -> Option<Vec<String>> {
        let context = self.case["context"].as_object().unwrap();
        if let Some((_, value)) = context
            .iter()
            .find(|(key, _)| key.to_lowercase() == wanted.to_lowercase())
        {
            return Some(crate::setting::texts(value));
        }
        let derived = match (wanted.to_lowercase().as_str(), self.kind) {
            ("aws:username", "user") => self.arn.split('/').next_back().unwrap().to_owned(),
            ("aws:principalarn", "session") => self.issuer.clone(),
            ("aws:principalarn", "root" | "user" | "federated-user") => self.arn.clone(),
            ("aws:principalaccount", "anonymous") => "anonymous".to_owned(),
            ("aws:principalaccount", kind) if kind != "service" => self.account.clone(),
            _ => return None,
        };
        Some(vec![derived])
    }

    fn variable(&self, key: &str) -> Option<String> {
        let values = self.key(key)?;
        if values.len() == 1 {
            values.into_iter().next()
        } else {
            None
        }
    }
}

fn many(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// How each statement of that effect that matches names the principal.
fn matching(documents: &Value, effect: &str, asked: &Asked<'_>) -> Vec<&'static str> {
    let mut found = Vec::new();
    for document in many(documents) {
        let variables = document["Version"] == "2012-10-17";
        for statement in many(&document["Statement"]) {
            if statement["Effect"] == effect
                && let Some(naming) = matches(&statement, variables, asked)
            {
                found.push(naming);
            }
        }
    }
    found
}

fn matches(statement: &Value, variables: bool, asked: &Asked<'_>) -> Option<&'static str> {
    let denies = statement["Effect"] == "Deny";
    let action = |patterns: &Value| {
        many(patterns).iter().any(|pattern| {
            let pattern = pattern.as_str().unwrap().to_lowercase();
            glob(&wild(&pattern), &chars(&asked.action.to_lowercase()))
        })
    };
    let action_matches = match statement.get("Action") {
        Some(patterns) => action(patterns),
        None => !action(&statement["NotAction"]),
    };
    let resource_matches = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(patterns), _) => many(patterns)
            .iter()
            .any(|pattern| resource(pattern, variables, asked) == Some(true)),
        (_, Some(patterns)) => {
            let results: Vec<Option<bool>> = many(patterns)
                .iter()
                .map(|pattern| resource(pattern, variables, asked))
                .collect();
            !results.contains(&Some(true)) && (denies || !results.contains(&None))
        }
        (None, None) => true,
    };
    let mut conditions = true;
    for (operator, keys) in statement
        .get("Condition")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        for (key, values) in keys.as_object().unwrap() {
            conditions &= condition(operator, key, &crate::setting::texts(values), variables, asked);
        }
    }
    let naming = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => names(principal, asked)?,
        (_, Some(exempt)) => {
            let bounded = asked.case.get("boundary").is_some();
            let is_exempt = if denies {
                !bounded && exempts(exempt, asked)
            } else {
                names(exempt, asked).is_some()
            };
            (!is_exempt).then_some("everyone")?
        }
        (None, None) => "itself",
    };
    (action_matches && resource_matches && conditions).then_some(naming)
}

fn listed(principal: &Value, kind: &str) -> Vec<String> {
    principal.get(kind).map(crate::setting::texts).unwrap_or_default()
}

/// The furthest-reaching way the principal is named.
fn names(principal: &Value, asked: &Asked<'_>) -> Option<&'static str> {
    if *principal == "*" {
        return Some("everyone");
    }
    let aws = listed(principal, "AWS");
    let has = |wanted: &str| !wanted.is_empty() && aws.iter().any(|value| value == wanted);
    let account_named = has(&asked.account) || has(&format!("arn:aws:iam::{}:root", asked.account));
    let service_named = asked.kind == "service" && listed(principal, "Service").contains(&asked.arn);
    if service_named || has(&asked.arn) || (asked.kind == "root" && account_named) {
        Some("itself")
    } else if has("*") {
        Some("everyone")
    } else if has(&asked.issuer) {
        Some("issuer")
    } else if !asked.account.is_empty() && account_named {
        Some("account")
    } else {
        None
    }
}

fn exempts(principal: &Value, asked: &Asked<'_>) -> bool {
    if *principal == "*" {
        return true;
    }
    let aws = listed(principal, "AWS");
    let has = |wanted: &str| aws.iter().any(|value| value == wanted || value == "*");
    let account = has(&asked.account) || has(&format!("arn:aws:iam::{}:root", asked.account));
    match asked.kind {
        "service" => listed(principal, "Service").contains(&asked.arn),
        "anonymous" => has("*"),
        "root" => account,
        "user" => has(&asked.arn) && account,
        _ => has(&asked.arn) && has(&asked.issuer) && account,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Piece {
    Character(char),
    One,
    Many,
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn wild(text: &str) -> Vec<Piece> {
    text.chars()
        .map(|character| match character {
            '*' => Piece::Many,
            '?' => Piece::One,
            other => Piece::Character(other),
        })
        .collect()
}

/// Pieces with variables put in; `None` if one has no value.
fn substituted(text: &str, variables: bool, asked: &Asked<'_>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text.to_owned();
    while let Some(start) = rest.find("${").filter(|_| variables) {
        let end = rest.find('}').unwrap();
        pieces.extend(wild(&rest[..start]));
        let inside = rest[start + 2..end].to_owned();
        let value = match inside.as_str() {
            "*" | "?" | "$" => inside.clone(),
            _ => match inside.split_once(", ") {
                Some((key, default)) => asked
                    .variable(key)
                    .unwrap_or_else(|| default.trim_matches('\'').to_owned()),
                None => asked.variable(&inside)?,
            },
        };
        pieces.extend(value.chars().map(Piece::Character));
        rest = rest[end + 1..].to_owned();
    }
    pieces.extend(wild(&rest));
    Some(pieces)
}

/// Every way of taking characters for a star is tried.
fn glob(pattern: &[Piece], text: &[char]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(Piece::Many), None) => glob(&pattern[1..], text),
        (Some(Piece::Many), Some(_)) => glob(&pattern[1..], text) || glob(pattern, &text[1..]),
        (Some(Piece::One), Some(_)) => glob(&pattern[1..], &text[1..]),
        (Some(Piece::Character(wanted)), Some(found)) if wanted == found => glob(&pattern[1..], &text[1..]),
        _ => false,
    }
}

/// As [`glob`], with the rule for stars in an ARN; `colons` are those of the pattern so far.
fn arn_glob(pattern: &[Piece], text: &[char], colons: usize) -> bool {
    let free = colons >= 5;
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(Piece::Many), found) => {
            let at_end = matches!(pattern.get(1), None | Some(Piece::Character(':')));
            arn_glob(&pattern[1..], text, colons)
                || found.is_some_and(|found| {
                    (free || at_end || *found != ':') && arn_glob(pattern, &text[1..], colons)
                })
        }
        (Some(Piece::One), Some(found)) => {
            (free || *found != ':') && arn_glob(&pattern[1..], &text[1..], colons)
        }
        (Some(Piece::Character(wanted)), Some(found)) if wanted == found => {
            arn_glob(&pattern[1..], &text[1..], colons + usize::from(*wanted == ':'))
        }
        _ => false,
    }
}

/// Whether the resource matches; `None` if a variable has no value.
fn resource(pattern: &Value, variables: bool, asked: &Asked<'_>) -> Option<bool> {
    let pattern = pattern.as_str().unwrap();
    Some(
        pattern == "*"
            || arn_glob(
                &substituted(pattern, variables, asked)?,
                &chars(&asked.resource),
                0,
            ),
    )
}

fn condition(operator: &str, key: &str, expected: &[String], variables: bool, asked: &Asked<'_>) -> bool {
    let values = asked.key(key).filter(|values| !values.is_empty());
    if operator == "Null" {
        return expected[0] == values.is_none().to_string();
    }
    let (set, rest) = operator.split_once(':').unwrap_or(("", operator));
    let name = rest.strip_suffix("IfExists").unwrap_or(rest);
    let negated = name.contains("Not");
    let Some(values) = values else {
        return name != rest || set == "ForAllValues" || (set.is_empty() && negated);
    };
    let positive = name.replace("Not", "");
    let equals_one = |value: &String| {
        expected
            .iter()
            .any(|expected| equals(&positive, value, expected, variables, asked))
    };
    let satisfied = |value: &String| equals_one(value) != negated;
    match set {
        "ForAllValues" => values == [""] || values.iter().all(satisfied),
        "ForAnyValue" => values.iter().any(satisfied),
        _ if values.len() == 1 => satisfied(&values[0]),
        _ => negated && values.iter().all(satisfied),
    }
}

fn equals(operator: &str, value: &str, expected: &str, variables: bool, asked: &Asked<'_>) -> bool {
    let pieces = || substituted(expected, variables, asked);
    match operator {
        "StringEquals" | "StringEqualsIgnoreCase" => {
            let Some(pieces) = pieces() else { return false };
            let text: String = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Character(character) => *character,
                    Piece::One => '?',
                    Piece::Many => '*',
                })
                .collect();
            text == value
                || (operator == "StringEqualsIgnoreCase" && text.to_lowercase() == value.to_lowercase())
        }
        "StringLike" => pieces().is_some_and(|pieces| glob(&pieces, &chars(value))),
        "ArnLike" | "ArnEquals" => {
            let Some(pieces) = pieces() else { return false };
            let parts: Vec<&[Piece]> = pieces
                .splitn(6, |piece| *piece == Piece::Character(':'))
                .collect();
            let segments: Vec<&str> = value.splitn(6, ':').collect();
            let is_arn = segments.len() == 6 && segments[0] == "arn";
            is_arn
                && (expected == "*"
                    || (parts.len() == 6
                        && parts
                            .iter()
                            .zip(segments)
                            .all(|(part, segment)| glob(part, &chars(segment)))))
        }
        "Bool" => value == expected && ["true", "false"].contains(&value),
        // The random tests write no two texts that stand for the same bytes.
        "BinaryEquals" => value == expected && ["YQ==", "Yg=="].contains(&value),
        "IpAddress" => {
            let (network, prefix) = expected.split_once('/').unwrap_or((expected, "all"));
            match (address(value), address(network)) {
                (Some((value, size)), Some((network, same))) if size == same => {
                    let prefix = prefix.parse().unwrap_or(size);
                    (0..prefix).all(|bit| value >> (size - 1 - bit) & 1 == network >> (size - 1 - bit) & 1)
                }
                _ => false,
            }
        }
        _ => match operator.split_at_checked("Numeric".len()) {
            Some(("Numeric", order)) => compares(order, number(value), number(expected)),
            _ => compares(
                operator.strip_prefix("Date").unwrap(),
                seconds(value),
                seconds(expected),
            ),
        },
    }
}

fn compares<T: PartialOrd>(order: &str, value: Option<T>, expected: Option<T>) -> bool {
    let ordering = value
        .zip(expected)
        .and_then(|(value, expected)| value.partial_cmp(&expected));
    let Some(ordering) = ordering else {
        return false;
    };
    match order {
        "Equals" => ordering.is_eq(),
        "LessThan" => ordering.is_lt(),
        "LessThanEquals" => ordering.is_le(),
        "GreaterThan" => ordering.is_gt(),
        "GreaterThanEquals" => ordering.is_ge(),
        other => panic!("the naive evaluator does not know {other}"),
    }
}

/// Bits and how many there are.
fn address(text: &str) -> Option<(u128, u32)> {
    let four = text.parse::<std::net::Ipv4Addr>();
    let six = text.parse::<std::net::Ipv6Addr>();
    four.map(|address| (u128::from(u32::from(address)), 32))
        .or(six.map(|address| (u128::from(address), 128)))
        .ok()
}

fn number(text: &str) -> Option<f64> {
    let is_plain = text.chars().all(|character| "-.0123456789".contains(character));
    text.parse().ok().filter(|_| is_plain)
}

/// Seconds since 1970, counted day by day; of the forms of dates only those that the random tests write.
fn seconds(text: &str) -> Option<i64> {
    let part = |from: usize, to: usize, default: i64| match text.get(from..to) {
        Some(digits) => digits.parse::<i64>().ok(),
        None => Some(default),
    };
    let is_date = text.len() == 4 || text.get(4..5) == Some("-");
    if !is_date {
        return text.parse().ok();
    }
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (year, month, day) = (part(0, 4, 0)?, part(5, 7, 1)?, part(8, 10, 1)?);
    let mut days = day - 1;
    for before in 1970..year {
        days += if leap(before) { 366 } else { 365 };
    }
    for before in 1..month {
        days += match before {
            2 if leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
    }
    Some(((days * 24 + part(11, 13, 0)?) * 60 + part(14, 16, 0)?) * 60 + part(17, 19, 0)?)
}

/// Whether `text` matches `pattern`, all stars being alike.
pub(crate) fn text_matches(pattern: &str, text: &str) -> bool {
    glob(&wild(pattern), &chars(text))
}

/// Whether `resource` matches `pattern`, stars as in an ARN.
pub(crate) fn resource_matches(pattern: &str, resource: &str) -> bool {
    arn_glob(&wild(pattern), &chars(resource), 0)
}
