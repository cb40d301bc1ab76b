//! The text of `Fn::Sub`, cut into literal parts and variables.

/// A part of the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Literal(&'a str),
    /// The name between `${` and `}`.
    Variable(&'a str),
}

/// Cut `text`. `${!Name}` is the literal `${Name}`; a `${` that is never closed is literal text.
///
/// # Errors
/// The name of a variable with characters CloudFormation does not take.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html>
pub(crate) fn parts(text: &str) -> Result<Vec<Part<'_>>, &str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, following)) = after.split_once('}') else {
            break;
        };
        parts.push(Part::Literal(before));
        if let Some(literal) = name.strip_prefix('!') {
            parts.extend([Part::Literal("${"), Part::Literal(literal), Part::Literal("}")]);
        } else if !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':'))
        {
            parts.push(Part::Variable(name));
        } else {
            return Err(name);
        }
        rest = following;
    }
    parts.push(Part::Literal(rest));
    parts.retain(|part| *part != Part::Literal(""));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::Part::{Literal, Variable};
    use super::*;

    #[test]
    fn cuts_the_text() {
        let cases: &[(&str, Result<Vec<Part<'_>>, &str>)] = &[
            ("", Ok(vec![])),
            ("a", Ok(vec![Literal("a")])),
            ("${A}", Ok(vec![Variable("A")])),
            (
                "x-${AWS::Region}-${T.Arn}",
                Ok(vec![
                    Literal("x-"),
                    Variable("AWS::Region"),
                    Literal("-"),
                    Variable("T.Arn"),
                ]),
            ),
            ("$${A}", Ok(vec![Literal("$"), Variable("A")])),
            (
                "${!aws:username}",
                Ok(vec![Literal("${"), Literal("aws:username"), Literal("}")]),
            ),
            ("${A", Ok(vec![Literal("${A")])),
            ("${}", Err("")),
            ("${ A }", Err(" A ")),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text), *expected, "{text:?}");
        }
    }
}
