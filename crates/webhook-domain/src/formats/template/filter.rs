//! Filters: small changes of a value between `|` and the end of a placeholder.

use std::borrow::Cow;

use chrono::{DateTime, Timelike, Utc};

use super::limits::{MAX_EPOCH_DIGITS, MAX_TRUNCATE_CHARS, repeated};
use super::value::Value;
use crate::formats::nearest::nearest;
use crate::names::names;

names! {
    /// The name of a filter.
    FilterName, "filter" {
        /// `default:"none"`: another value in place of a missing one.
        Default = "default",
        /// The value as JSON text.
        Json = "json",
        /// Upper case.
        Upper = "upper",
        /// Lower case.
        Lower = "lower",
        /// A time for people, in UTC.
        Date = "date",
        /// `epoch` or `epoch:3`: a time as seconds since 1970, with as many digits of the fraction.
        Epoch = "epoch",
        /// `truncate:80`: at most so many characters.
        Truncate = "truncate",
        /// Text for Slack, without mentions.
        Slack = "slack",
    }
}

/// A filter with its argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    Default(Fallback),
    Json,
    Upper,
    Lower,
    Date,
    /// The digits of the fraction.
    Epoch(u32),
    Truncate(usize),
    Slack,
}

/// The argument of a filter as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument {
    Quoted(String),
    Bare(String),
}

/// The argument of `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fallback {
    Text(String),
    /// A number or a boolean.
    Json(String),
}

impl Filter {
    /// Reads a filter. The error says what would be right.
    pub(super) fn parse(name: &str, argument: Option<Argument>) -> Result<Self, String> {
        let Ok(name) = name.parse::<FilterName>() else {
            return Err(unknown(name));
        };
        let filter = match name {
            FilterName::Default => return fallback(argument).map(Self::Default),
            FilterName::Epoch => return digits(argument).map(Self::Epoch),
            FilterName::Truncate => return length(argument).map(Self::Truncate),
            FilterName::Json => Self::Json,
            FilterName::Upper => Self::Upper,
            FilterName::Lower => Self::Lower,
            FilterName::Date => Self::Date,
            FilterName::Slack => Self::Slack,
        };
        match argument {
            None => Ok(filter),
            Some(_) => Err(format!("`{name}` takes no argument; write `|{name}`")),
        }
    }

    /// Applies the filter. A missing value stays missing, except for `default`.
    ///
    /// `epoch` makes a number, or a missing value out of a text that is no time: a receiver of a number
    /// could read no text.
    pub(super) fn apply<'a>(&'a self, value: Value<'a>) -> Value<'a> {
        let text = match (self, value) {
            (Self::Default(fallback), Value::Missing | Value::Null) => return fallback.value(),
            (Self::Default(_), value) => return value,
            (Self::Epoch(digits), value) => return epoch(value, *digits),
            (Self::Json, Value::Text(text)) => quoted(&text),
            (_, value) => match value.into_text() {
                Some(text) => text,
                None => return Value::Missing,
            },
        };
        Value::Text(match self {
            Self::Default(_) | Self::Epoch(_) | Self::Json => text,
            Self::Upper => Cow::Owned(text.to_uppercase()),
            Self::Lower => Cow::Owned(text.to_lowercase()),
            Self::Date => date(text),
            Self::Truncate(chars) => truncate(text, *chars),
            Self::Slack => slack(text),
        })
    }
}

impl Fallback {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::text(text),
            Self::Json(json) => Value::Json(Cow::Borrowed(json)),
        }
    }
}

fn unknown(name: &str) -> String {
    let known = FilterName::ALL.iter().map(|name| name.as_str());
    let shown = repeated(name);
    match nearest(name, known.clone()) {
        Some(near) => format!("unknown filter `{shown}`; did you mean `{near}`?"),
        None => {
            let known: Vec<&str> = known.collect();
            format!("unknown filter `{shown}`; known are {}", known.join(", "))
        }
    }
}

fn fallback(argument: Option<Argument>) -> Result<Fallback, String> {
    match argument {
        Some(Argument::Quoted(text)) => Ok(Fallback::Text(text)),
        Some(Argument::Bare(json)) if is_scalar(&json) => Ok(Fallback::Json(json)),
        Some(Argument::Bare(text)) => Err(format!(
            "`default` takes a text in quotes, a number, `true` or `false`; write `default:'{0}'` instead of `default:{0}`",
            repeated(&text)
        )),
        None => Err("`default` needs a value; write `default:'none'`".to_owned()),
    }
}

/// Whether a text is a number, `true` or `false` in JSON.
fn is_scalar(json: &str) -> bool {
    let begins = json.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
    (begins && is_json) || json == "true" || json == "false"
}

fn length(argument: Option<Argument>) -> Result<usize, String> {
    let chars = match argument {
        Some(Argument::Bare(digits)) => digits.parse().ok(),
        Some(Argument::Quoted(_)) | None => None,
    };
    chars.filter(|chars| (1..=MAX_TRUNCATE_CHARS).contains(chars)).ok_or_else(|| {
        format!("`truncate` needs a number of characters from 1 to {MAX_TRUNCATE_CHARS}; write `truncate:80`")
    })
}

fn digits(argument: Option<Argument>) -> Result<u32, String> {
    let digits = match argument {
        None => return Ok(0),
        Some(Argument::Bare(digits)) => digits.parse().ok(),
        Some(Argument::Quoted(_)) => None,
    };
    digits.filter(|digits| (1..=MAX_EPOCH_DIGITS).contains(digits)).ok_or_else(|| {
        format!("`epoch` takes no argument, or a number of digits from 1 to {MAX_EPOCH_DIGITS}; write `epoch` or `epoch:3`")
    })
}

/// A text as JSON text, in quotes.
fn quoted(text: &str) -> Cow<'static, str> {
    Cow::Owned(serde_json::to_string(text).expect("a text is JSON"))
}

/// `2026-11-23 08:15 UTC` for a time (RFC 3339, or seconds or milliseconds since 1970). Another text, such as
/// the date `2026-11-23`, stays as written.
fn date(text: Cow<'_, str>) -> Cow<'_, str> {
    match time_of(&text) {
        // Written by hand: chrono reads its pattern again for every time, at three times the cost.
        Some(time) => Cow::Owned(format!(
            "{} {:02}:{:02} UTC",
            time.date_naive(),
            time.hour(),
            time.minute()
        )),
        None => text,
    }
}

/// Seconds since 1970 as a JSON number. Missing: the value is no time.
fn epoch(value: Value<'_>, digits: u32) -> Value<'_> {
    let time = value.into_text().and_then(|text| time_of(&text));
    time.map_or(Value::Missing, |time| {
        Value::Json(Cow::Owned(seconds(time, digits)))
    })
}

fn seconds(time: DateTime<Utc>, digits: u32) -> String {
    let units_per_second = 10_u64.pow(digits);
    let micros_per_unit = 10_i64.pow(MAX_EPOCH_DIGITS - digits);
    // Cut, not rounded: a receiver may refuse a time in the future.
    let units = time.timestamp_micros().div_euclid(micros_per_unit);
    let sign = if units < 0 { "-" } else { "" };
    let units = units.unsigned_abs();
    let whole = units / units_per_second;
    match digits as usize {
        0 => format!("{sign}{whole}"),
        width => format!("{sign}{whole}.{:0width$}", units % units_per_second),
    }
}

/// The time that a text tells: RFC 3339, or seconds or milliseconds since 1970.
fn time_of(text: &str) -> Option<DateTime<Utc>> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Some(time.to_utc()),
        Err(_) => time_since_1970(text),
    }
}

/// Reads seconds of 9 or 10 digits (1973 to 2286), or milliseconds of 12 or 13. Numbers of other lengths
/// are hardly times.
fn time_since_1970(digits: &str) -> Option<DateTime<Utc>> {
    let number: i64 = digits.parse().ok()?;
    match digits.len() {
        9 | 10 => DateTime::from_timestamp(number, 0),
        12 | 13 => DateTime::from_timestamp_millis(number),
        _ => None,
    }
}

/// At most `chars` characters; the last one is `…` where the text was longer.
fn truncate(text: Cow<'_, str>, chars: usize) -> Cow<'_, str> {
    let mut ends = text.char_indices().map(|(at, _)| at).skip(chars - 1);
    let last = ends.next();
    match (last, ends.next()) {
        (Some(last), Some(_)) => Cow::Owned(format!("{}…", &text[..last])),
        (Some(_) | None, _) => text,
    }
}

/// Escapes the three characters of Slack's markup, which ends `<!channel>` and `<@U1>`, and parts `@` from
/// a following name by a space of no width, because `link_names` would make `@here` a mention. The `@` of an
/// e-mail address stays.
fn slack(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '@']) {
        return text;
    }
    let mut written = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for char in text.chars() {
        match char {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '@' if !before.is_alphanumeric() => written.push_str("@\u{200b}"),
            other => written.push(other),
        }
        before = char;
    }
    Cow::Owned(written)
}
