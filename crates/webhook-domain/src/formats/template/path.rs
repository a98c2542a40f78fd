//! Paths: the names by which placeholders ask for values.

use std::fmt::{Display, Formatter};

use super::limits::{MAX_PATH_PARTS, repeated};
use crate::formats::nearest::nearest;
use crate::names::names;

names! {
    /// A value that a placeholder can ask for.
    PathRoot, "path" {
        /// The id of the event.
        Id = "id",
        /// The type of the event, such as `license.activated`.
        Type = "type",
        /// The time of the event, as RFC 3339 text in UTC.
        Timestamp = "timestamp",
        /// The environment of the event.
        Environment = "environment",
        /// The data of the event, or a part of the data, such as `data.license_id`.
        Data = "data",
        /// The whole event as JSON, byte for byte as published.
        Event = "event",
        /// The name of the webhook.
        WebhookName = "webhook.name",
        /// The id of the delivery.
        DeliveryId = "delivery.id",
        /// The address of a page about the event.
        Link = "link",
        /// A sentence about the event.
        Summary = "summary",
    }
}

impl PathRoot {
    /// Whether the value comes from the event's notice.
    pub(super) const fn is_of_notice(self) -> bool {
        match self {
            Self::Link | Self::Summary => true,
            Self::Id
            | Self::Type
            | Self::Timestamp
            | Self::Environment
            | Self::Data
            | Self::Event
            | Self::WebhookName
            | Self::DeliveryId => false,
        }
    }
}

/// The path of a placeholder: a root, and below `data` the parts of the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) root: PathRoot,
    /// Names of fields, and indexes of elements from 0. Empty unless the root is `data`.
    pub(super) parts: Vec<String>,
}

impl Path {
    /// Reads a path as written. The error says what would be right.
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        if let Ok(root) = written.parse::<PathRoot>() {
            let parts = Vec::new();
            return Ok(Self { root, parts });
        }
        match written.split_once('.') {
            Some(("data", below)) => Self::below_data(written, below),
            Some(("event", below)) => Err(format!(
                "`event` is the whole event as JSON; write `{}` for a part of the event",
                repeated(below)
            )),
            Some(_) | None => Err(unknown(written)),
        }
    }

    fn below_data(written: &str, below: &str) -> Result<Self, String> {
        let parts: Vec<String> = below.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            return Err(format!(
                "the path `{}` has an empty part; write one dot between two names",
                repeated(written)
            ));
        }
        if parts.len() >= MAX_PATH_PARTS {
            return Err(format!(
                "the path `{}` has {} parts; at most {MAX_PATH_PARTS} are allowed",
                repeated(written),
                parts.len() + 1
            ));
        }
        let root = PathRoot::Data;
        Ok(Self { root, parts })
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.root.as_str())?;
        self.parts.iter().try_for_each(|part| write!(f, ".{part}"))
    }
}

fn unknown(written: &str) -> String {
    let known = PathRoot::ALL.iter().map(|root| root.as_str());
    let shown = repeated(written);
    // A field of `data` without `data.` is the commonest mistake; a near root is a better guess.
    if let Some(near) = nearest(written, known.clone()) {
        return format!("unknown path `{shown}`; did you mean `{near}`?");
    }
    if let Some((near, below)) = near_data(written) {
        return format!(
            "unknown path `{shown}`; did you mean `{near}.{}`?",
            repeated(below)
        );
    }
    let known: Vec<&str> = known.collect();
    let known = known.join(", ");
    format!(
        "unknown path `{shown}`; a field of the event's data is written as `data.{shown}`, and the other paths are {known}"
    )
}

/// The root `data` for a path such as `date.device`.
fn near_data(written: &str) -> Option<(&'static str, &str)> {
    let (root, below) = written.split_once('.')?;
    let near = nearest(root, ["data"])?;
    Some((near, below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_path_is_written_as_it_was_read() {
        for written in [
            "id",
            "webhook.name",
            "data",
            "data.items.0.id",
            "data.a-b.c d",
        ] {
            let path = Path::parse(written).expect("a path");

            assert_eq!(path.to_string(), written);
        }
    }

    #[rstest]
    #[case("tpye", "unknown path `tpye`; did you mean `type`?")]
    #[case(
        "webhook_name",
        "unknown path `webhook_name`; did you mean `webhook.name`?"
    )]
    #[case("dta.device", "unknown path `dta.device`; did you mean `data.device`?")]
    #[case("license_id", "is written as `data.license_id`")]
    #[case("event.data.x", "write `data.x` for a part of the event")]
    #[case("data..x", "has an empty part")]
    #[case("data.", "has an empty part")]
    #[case("data.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6", "has 17 parts; at most 16")]
    fn a_wrong_path_is_refused_with_the_right_one(#[case] written: &str, #[case] expected: &str) {
        let refused = Path::parse(written).expect_err("a wrong path");

        assert!(refused.contains(expected), "{refused}");
    }
}
