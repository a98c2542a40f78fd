//! The exchange and the routing key of a published message.

use super::text::storable;

/// The name of an exchange or a routing key: at most 255 bytes, the limit of an AMQP 0-9-1
/// `shortstr`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AmqpName(String);

impl AmqpName {
    /// The most bytes of a name.
    pub const MAX_BYTES: usize = 255;

    /// Takes a name. A longer name is cut between two characters.
    pub fn new(text: &str) -> Self {
        let name = storable(text);
        let ends = name.char_indices().map(|(at, char)| at + char.len_utf8());
        let end = ends.take_while(|end| *end <= Self::MAX_BYTES).last();
        Self(name[..end.unwrap_or_default()].to_owned())
    }

    /// The name, at most 255 bytes of UTF-8.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The exchange and the routing key of a published message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedTo {
    /// The exchange. Empty: the default exchange, which routes straight into a queue.
    pub exchange: AmqpName,
    /// The routing key, chosen by the publisher.
    pub routing_key: AmqpName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_amqp_is_cut_between_characters() {
        let name = AmqpName::new(&"é".repeat(200));

        assert_eq!(name.as_str(), "é".repeat(127));
        assert_eq!(AmqpName::new("a\0").as_str(), "a\u{fffd}");
    }
}
