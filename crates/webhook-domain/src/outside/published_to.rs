//! Where a message was published.

use super::text::storable;

/// The name of an exchange or a routing key: at most 255 bytes, as AMQP 0-9-1 has it (`shortstr`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AmqpName(String);

impl AmqpName {
    /// The most bytes.
    pub const MAX_BYTES: usize = 255;

    /// Takes a name. What is longer is cut between two characters.
    pub fn new(text: &str) -> Self {
        let name = storable(text);
        let ends = name.char_indices().map(|(at, char)| at + char.len_utf8());
        let end = ends.take_while(|end| *end <= Self::MAX_BYTES).last();
        Self(name[..end.unwrap_or_default()].to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a message was published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedTo {
    /// Empty: straight into a queue.
    pub exchange: AmqpName,
    /// The routing key that was given to that exchange.
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
