//! The time spans that figures and charts can show.

/// The time span of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Day,
    Week,
    Month,
}

impl Span {
    /// Every time span, the shortest first.
    pub(crate) const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The time span with a name; a day for any other name.
    pub(crate) fn of(name: &str) -> Self {
        let named = Self::ALL.into_iter().find(|span| span.name() == name);
        named.unwrap_or(Self::Day)
    }

    /// The name in addresses and in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// The name on the page.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    /// Whether a bar stands for an hour. Otherwise a bar stands for a day.
    pub(crate) fn is_by_hour(self) -> bool {
        self == Self::Day
    }

    /// How many bars share a label below the chart; more labels would overlap.
    pub(crate) fn bars_per_label(self) -> usize {
        match self {
            Self::Day => 4,
            Self::Week => 1,
            Self::Month => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_names_no_span_shows_a_day() {
        assert_eq!(Span::of("30d"), Span::Month);
        assert_eq!(Span::of(""), Span::Day);
        assert_eq!(Span::of("1y"), Span::Day);
    }
}
