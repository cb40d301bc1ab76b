//! Principals in stored documents: ARNs of this account's users and roles become unique ids and back.
//!
//! IAM User Guide, "AWS JSON policy elements: Principal": when a trust policy that names a user or a role is saved, IAM
//! transforms the ARN to the principal's unique id; once that principal is deleted the id shows, and a new principal of
//! the same name does not match it.
//!
//! The document is kept as it was written, byte for byte, except for the strings inside `Principal` and
//! `NotPrincipal`, so this walks the JSON text instead of parsing and printing it. It is called with text the policy
//! engine has accepted; on anything else it gives an error or leaves the text alone, it never panics.

/// Text that is no JSON object nested at most [`MAXIMUM_DEPTH`] deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

/// Deeper than any policy document.
const MAXIMUM_DEPTH: usize = 64;

/// Why a rewrite stopped.
#[derive(Debug)]
pub(crate) enum RewriteError<E> {
    /// The text is not JSON.
    NotJson,
    /// The mapping refused a principal.
    Refused(E),
}

impl<E> From<NotJson> for RewriteError<E> {
    fn from(_: NotJson) -> Self {
        Self::NotJson
    }
}

/// Gives `text` with each AWS principal replaced by what `map` makes of it; `None` leaves it as written.
pub(crate) fn rewrite<E>(
    text: &str,
    map: &mut dyn FnMut(&str) -> Result<Option<String>, E>,
) -> Result<String, RewriteError<E>> {
    let mut walker = Walker {
        text,
        position: 0,
        output: String::with_capacity(text.len()),
        copied: 0,
        map,
    };
    walker.value(Place::Document, 0)?;
    walker
        .output
        .push_str(text.get(walker.copied..).unwrap_or_default());
    Ok(walker.output)
}

/// Where in the document the walk is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Document,
    Statement,
    Principal,
    AwsPrincipals,
    Elsewhere,
}

impl Place {
    fn member(self, key: &str) -> Self {
        match (self, key) {
            (Self::Document, "Statement") => Self::Statement,
            (Self::Statement, "Principal" | "NotPrincipal") => Self::Principal,
            (Self::Principal, "AWS") => Self::AwsPrincipals,
            _ => Self::Elsewhere,
        }
    }
}

struct Walker<'a, E> {
    text: &'a str,
    position: usize,
    output: String,
    copied: usize,
    map: &'a mut dyn FnMut(&str) -> Result<Option<String>, E>,
}

impl<E> Walker<'_, E> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.as_bytes().get(self.position) {
            if !byte.is_ascii_whitespace() {
                return Some(*byte);
            }
            self.position += 1;
        }
        None
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.peek() == Some(byte) {
            self.position += 1;
            Ok(())
        } else {
            Err(NotJson)
        }
    }

    fn value(&mut self, place: Place, depth: usize) -> Result<(), RewriteError<E>> {
        if depth > MAXIMUM_DEPTH {
            return Err(RewriteError::NotJson);
        }
        match self.peek().ok_or(NotJson)? {
            b'{' => self.object(place, depth),
            b'[' => self.array(place, depth),
            b'"' if place == Place::AwsPrincipals => self.principal(),
            b'"' => Ok(self.string().map(|_| ())?),
            _ => Ok(self.scalar()?),
        }
    }

    fn object(&mut self, place: Place, depth: usize) -> Result<(), RewriteError<E>> {
        self.expect(b'{')?;
        if self.peek() == Some(b'}') {
            self.position += 1;
            return Ok(());
        }
        loop {
            self.peek();
            let key = self.string()?;
            self.expect(b':')?;
            self.value(place.member(&key), depth + 1)?;
            match self.peek() {
                Some(b',') => self.position += 1,
                _ => return Ok(self.expect(b'}')?),
            }
        }
    }

    fn array(&mut self, place: Place, depth: usize) -> Result<(), RewriteError<E>> {
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.position += 1;
            return Ok(());
        }
        loop {
            self.value(place, depth + 1)?;
            match self.peek() {
                Some(b',') => self.position += 1,
                _ => return Ok(self.expect(b']')?),
            }
        }
    }

    /// Reads a string token and gives its content.
    fn string(&mut self) -> Result<String, NotJson> {
        let start = self.position;
        let bytes = self.text.as_bytes();
        if bytes.get(start) != Some(&b'"') {
            return Err(NotJson);
        }
        let mut end = start + 1;
        loop {
            match bytes.get(end).ok_or(NotJson)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        end += 1;
        let token = self.text.get(start..end).ok_or(NotJson)?;
        self.position = end;
        serde_json::from_str(token).map_err(|_| NotJson)
    }

    fn scalar(&mut self) -> Result<(), NotJson> {
        let start = self.position;
        while let Some(byte) = self.text.as_bytes().get(self.position) {
            if !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.') {
                break;
            }
            self.position += 1;
        }
        if self.position == start {
            Err(NotJson)
        } else {
            Ok(())
        }
    }

    fn principal(&mut self) -> Result<(), RewriteError<E>> {
        let start = self.position;
        let written = self.string()?;
        if let Some(replacement) = (self.map)(&written).map_err(RewriteError::Refused)? {
            self.output
                .push_str(self.text.get(self.copied..start).unwrap_or_default());
            self.output
                .push_str(&serde_json::Value::String(replacement).to_string());
            self.copied = self.position;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn shout(text: &str) -> Result<String, RewriteError<Infallible>> {
        rewrite(text, &mut |principal| {
            Ok((principal != "*").then(|| principal.to_uppercase()))
        })
    }

    #[test]
    fn only_aws_principals_change() {
        let cases = [
            (
                r#"{"Statement":{"Principal":{"AWS":"a"}}}"#,
                r#"{"Statement":{"Principal":{"AWS":"A"}}}"#,
            ),
            (
                r#"{ "Statement" : [ {"Principal" : { "AWS" : ["a", "\u0062", "*"], "Service" : "c" }, "Condition": {"X": {"AWS": "d"}}}, {"NotPrincipal":{"AWS":"e"}} ] }"#,
                r#"{ "Statement" : [ {"Principal" : { "AWS" : ["A", "B", "*"], "Service" : "c" }, "Condition": {"X": {"AWS": "d"}}}, {"NotPrincipal":{"AWS":"E"}} ] }"#,
            ),
            (
                r#"{"Principal":{"AWS":"a"},"Statement":[]}"#,
                r#"{"Principal":{"AWS":"a"},"Statement":[]}"#,
            ),
            (
                r#"{"Statement":[{"Principal":"*","Sid":1.5e3}]}"#,
                r#"{"Statement":[{"Principal":"*","Sid":1.5e3}]}"#,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(shout(text).unwrap(), expected);
        }
    }

    #[test]
    fn depth_is_limited() {
        assert!(shout(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,200}") {
            let _ = shout(&text);
        }

        #[test]
        fn never_panics_on_json_like(text in r#"[\[\]{}:,"\\a-cé0-9 ]{0,80}"#) {
            let _ = shout(&text);
        }
    }
}
