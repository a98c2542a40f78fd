//! The class of an HTTP status, a value of labels.

/// The class of a status, such as `4xx` of 404. A status outside 200 to 499 counts as `5xx`.
pub fn status_class(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
