//! Values of many requests.

use chrono::{DateTime, Utc};

/// The most characters of a search.
const MAX_SEARCH_CHARS: usize = 200;

/// Reads `true` or `false`, the only two words for a flag in a query.
pub fn parse_bool(text: &str) -> Result<bool, &'static str> {
    text.parse().map_err(|_| "must be true or false")
}

/// Reads a time (RFC 3339).
pub fn parse_time(text: &str) -> Result<DateTime<Utc>, &'static str> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.to_utc()),
        Err(_) => Err("must be an RFC 3339 time such as 2026-11-23T08:15:30Z"),
    }
}

/// Reads a text to look for.
pub fn parse_search(text: &str) -> Result<String, String> {
    parse_text_up_to(MAX_SEARCH_CHARS, text)
}

/// Reads a text to look for, of `max` characters at most.
pub fn parse_text_up_to(max: usize, text: &str) -> Result<String, String> {
    if text.chars().count() > max {
        return Err(format!("must have at most {max} characters"));
    }
    // No text of Postgres holds a NUL.
    Ok(text.replace('\0', "\u{fffd}"))
}
