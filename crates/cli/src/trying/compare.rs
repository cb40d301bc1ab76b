//! Whether two runs gave the same result.

use serde_json::Value;

/// Compares two answers. `twin` is a second answer of the first kind: where it differs from the first, answers vary from
/// run to run by themselves (ids, times), and are not compared.
pub(crate) fn same_result(first: &[u8], second: &[u8], twin: Option<&[u8]>) -> bool {
    if first == second {
        return true;
    }
    let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let (Some(first), Some(second)) = (parse(first), parse(second)) else {
        return false;
    };
    match twin {
        None => first == second,
        Some(twin) => parse(twin).is_some_and(|twin| same(&first, &second, &twin)),
    }
}

fn same(first: &Value, second: &Value, twin: &Value) -> bool {
    match (first, second, twin) {
        (Value::Object(first), Value::Object(second), Value::Object(twin)) => {
            first.len() == second.len()
                && first.iter().all(|(key, value)| {
                    second
                        .get(key)
                        .is_some_and(|second| same(value, second, twin.get(key).unwrap_or(&Value::Null)))
                })
        }
        (Value::Array(first), Value::Array(second), Value::Array(twin)) => {
            first.len() == second.len()
                && first
                    .iter()
                    .zip(second)
                    .enumerate()
                    .all(|(index, (first, second))| {
                        same(first, second, twin.get(index).unwrap_or(&Value::Null))
                    })
        }
        // A leaf that varies by itself must still be of the same kind.
        _ => {
            first == second
                || (first != twin && std::mem::discriminant(first) == std::mem::discriminant(second))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::same_result;

    #[test]
    fn what_varies_by_itself_is_not_compared() {
        let first = br#"{"id":"a1","total":3,"lines":["x"]}"#;
        let second = br#"{"id":"b2","total":3,"lines":["x"]}"#;
        assert!(!same_result(first, second, None));
        assert!(same_result(
            first,
            second,
            Some(br#"{"id":"c3","total":3,"lines":["x"]}"#)
        ));
        assert!(!same_result(first, second, Some(first)));
        let other_total = br#"{"id":"b2","total":4,"lines":["x"]}"#;
        assert!(!same_result(
            first,
            other_total,
            Some(br#"{"id":"c3","total":3,"lines":["x"]}"#)
        ));
        let other_kind = br#"{"id":null,"total":3,"lines":["x"]}"#;
        assert!(!same_result(
            first,
            other_kind,
            Some(br#"{"id":"c3","total":3,"lines":["x"]}"#)
        ));
    }
}
