//! The headers of requests to a collector.

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::str::FromStr;

/// The headers of requests to a collector, `name=value`, separated by commas. Shown without values, which may be
/// tokens.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CollectorHeaders(pub(crate) HashMap<String, String>);

impl FromStr for CollectorHeaders {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pairs = text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty());
        let headers = pairs.map(|pair| {
            // The value stays out of the problem: it may be a token.
            let (name, value) = pair
                .split_once('=')
                .ok_or("must be name=value, separated by commas")?;
            let (name, value) = (name.trim(), value.trim());
            let is_token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err("has a header without a proper name".to_owned());
            }
            if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(format!(
                    "has a header {name} whose value is not printable ASCII"
                ));
            }
            Ok((name.to_ascii_lowercase(), value.to_owned()))
        });
        headers.collect::<Result<_, _>>().map(Self)
    }
}

impl Debug for CollectorHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_shown_without_values() {
        let headers: CollectorHeaders = " api-key=hunter2==, X-Tenant = us,"
            .parse()
            .expect("headers");

        assert_eq!(headers.0["api-key"], "hunter2==");
        assert_eq!(headers.0["x-tenant"], "us");
        assert!(!format!("{headers:?}").contains("hunter2"));
        assert_eq!("".parse(), Ok(CollectorHeaders::default()));
    }

    #[test]
    fn a_wrong_header_is_told_without_its_value() {
        for wrong in ["hunter2", "=hunter2", "a b=hunter2", "name=hunter2\u{e9}"] {
            let problem = wrong.parse::<CollectorHeaders>().expect_err("a problem");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
