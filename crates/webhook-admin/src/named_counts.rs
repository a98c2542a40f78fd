//! Numbers by the names of a closed set: deliveries by status, failures by kind.

use serde::ser::{Serialize, SerializeMap, Serializer};
use webhook_domain::{Named, WebhookHealth};

/// A number for some or all names of the set `T`. As JSON an object whose names stand in alphabetical
/// order: `{"failed":0,"pending":7}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCounts<T>(Vec<(T, i64)>);

impl<T: Named> NamedCounts<T> {
    /// The names in `counts`, each once.
    pub fn of(counts: impl IntoIterator<Item = (T, i64)>) -> Self {
        let mut counts = Vec::from_iter(counts);
        counts.sort_by_key(|(name, _)| name.as_str());
        Self(counts)
    }

    /// Every name of the set, with 0 for a name missing in `counts`.
    pub fn of_all(counts: impl IntoIterator<Item = (T, i64)>) -> Self {
        let counts = Self::of(counts);
        Self::of(T::ALL.iter().map(|name| (*name, counts.get(*name))))
    }

    /// The number of a name, 0 when the name is left out.
    pub fn get(&self, name: T) -> i64 {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map_or(0, |(_, count)| *count)
    }

    /// The names with the numbers, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (T, i64)> {
        self.0.iter().copied()
    }
}

impl NamedCounts<WebhookHealth> {
    /// The number of webhooks that a filter by `health` finds: a filter by `failing` finds paused webhooks too.
    pub fn found_by(&self, health: WebhookHealth) -> i64 {
        health.found().iter().map(|one| self.get(*one)).sum()
    }
}

impl<T: Named> Serialize for NamedCounts<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, count) in self.iter() {
            map.serialize_entry(name.as_str(), &count)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use webhook_domain::DeliveryStatus;

    #[test]
    fn names_stand_in_alphabetical_order_and_a_missing_one_counts_0() {
        let counts = NamedCounts::of_all([(DeliveryStatus::Succeeded, 7)]);

        assert_eq!(
            serde_json::to_string(&counts).ok().as_deref(),
            Some(r#"{"cancelled":0,"failed":0,"pending":0,"succeeded":7}"#)
        );
        assert_eq!(counts.get(DeliveryStatus::Succeeded), 7);
        assert_eq!(NamedCounts::<DeliveryStatus>::of([]).iter().count(), 0);
    }
}
