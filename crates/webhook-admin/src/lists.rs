//! Lists in pages. A cursor is the id of the last row seen, unless a list says otherwise.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

const DEFAULT_LIMIT: u8 = 50;
const MAX_LIMIT: u8 = 200;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The page's rows.
    pub data: Vec<T>,
    /// The `cursor` of the request for the next page; `null` on the last page.
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> Page<T> {
    /// The page of [`PageLimit::rows`] rows. `cursor` writes the cursor of the page's last row.
    pub fn of_rows<R: Into<T>>(
        mut rows: Vec<R>,
        limit: PageLimit,
        cursor: impl FnOnce(&R) -> String,
    ) -> Self {
        let next_cursor = limit.cut(&mut rows).map(cursor);
        let data = rows.into_iter().map(Into::into).collect();
        Self { data, next_cursor }
    }

    /// Makes a page of [`PageLimit::rows`] rows, with a row's id as the cursor.
    pub fn of(mut data: Vec<T>, limit: PageLimit, id: fn(&T) -> Uuid) -> Self {
        let last = limit.cut(&mut data);
        let next_cursor = last.map(|row| id(row).to_string());
        Self { data, next_cursor }
    }

    /// Makes a page with another kind of cursor.
    pub fn with_cursor(data: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { data, next_cursor }
    }
}

/// A page of a list, with the number of rows on all pages.
#[derive(Serialize, ToSchema)]
pub struct TotalPage<T: ToSchema> {
    /// The page.
    #[serde(flatten)]
    pub page: Page<T>,
    /// The number of rows on all pages, for requests with `total=true`.
    pub total: Option<i64>,
}

/// How many rows a page has at most, 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// The largest page.
    pub const MAX: Self = Self(MAX_LIMIT);

    /// The number of rows to read: one more than the page's, to know of a next page.
    pub fn rows(self) -> i64 {
        i64::from(self.0) + 1
    }

    /// Cuts rows to the page's size. Returns the page's last row if there is a next page.
    pub fn cut<T>(self, rows: &mut Vec<T>) -> Option<&T> {
        let size = usize::from(self.0);
        let more = rows.len() > size;
        rows.truncate(size);
        rows.last().filter(|_| more)
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl FromStr for PageLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(limit @ 1..=MAX_LIMIT) => Ok(Self(limit)),
            _ => Err(format!("must be a number from 1 to {MAX_LIMIT}")),
        }
    }
}

/// Reads an id as a cursor.
pub fn parse_cursor<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| NO_CURSOR)
}

const NO_CURSOR: &str = "must be the next_cursor of a page";

/// Writes a cursor for a list with a sort key beside the id: the last row's id and sort key in hex. Any
/// hex text of 16 bytes or more is a place in some order, so a foreign cursor is meaningless, never an
/// error.
pub fn write_place(id: Uuid, sorted_by: &[u8]) -> String {
    hex::encode([id.as_bytes(), sorted_by].concat())
}

/// Reads a cursor of [`write_place`]: the id and the sort key.
pub fn read_place(text: &str) -> Result<(Uuid, Vec<u8>), &'static str> {
    let bytes = hex::decode(text).map_err(|_| NO_CURSOR)?;
    let (id, sorted_by) = bytes.split_first_chunk::<16>().ok_or(NO_CURSOR)?;
    Ok((Uuid::from_bytes(*id), sorted_by.to_vec()))
}

/// Reads a sort key as a time: microseconds as a big-endian `i64`. `None`: the key is shorter.
pub fn read_place_time(sorted_by: &[u8]) -> Option<DateTime<Utc>> {
    let micros = i64::from_be_bytes(*sorted_by.first_chunk()?);
    // A cursor may hold any 64 bits; Postgres refuses times beyond its own range.
    let bounded = micros.clamp(0, FAR_FUTURE_MICROS);
    DateTime::from_timestamp_micros(bounded)
}

/// The year 9999.
const FAR_FUTURE_MICROS: i64 = 253_402_300_799_000_000;

/// A time after every row of every list.
pub fn far_future() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(FAR_FUTURE_MICROS).expect("chrono knows the year 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_page_with_more_behind_it_has_a_cursor() {
        let rows = |count: u64| (1..=count).collect::<Vec<_>>();
        let id = |row: &u64| Uuid::from_u128(u128::from(*row));
        let limit: PageLimit = "2".parse().expect("a limit");

        let last = Page::of(rows(2), limit, id);
        let first = Page::of(rows(3), limit, id);

        assert_eq!(limit.rows(), 3);
        assert_eq!((last.data.len(), last.next_cursor), (2, None));
        assert_eq!(first.data.len(), 2);
        assert_eq!(first.next_cursor, Some(Uuid::from_u128(2).to_string()));
    }

    #[test]
    fn a_place_says_where_its_list_goes_on() {
        let (id, at) = (
            Uuid::from_u128(7),
            DateTime::from_timestamp_micros(1_795_523_000_123_456),
        );
        let micros = at.map(|at| at.timestamp_micros()).unwrap_or_default();

        let (read, sorted_by) = read_place(&write_place(id, &micros.to_be_bytes())).expect("one");

        assert_eq!((read, read_place_time(&sorted_by)), (id, at));
        assert_eq!(read_place_time(&[0xff; 8]), Some(DateTime::UNIX_EPOCH));
        assert_eq!(read_place_time(&[0x7f; 8]), Some(far_future()));
        assert_eq!(read_place_time(&[0x7f; 7]), None);
    }

    #[test]
    fn a_limit_is_1_to_200() {
        for text in ["0", "201", "-1", "many", ""] {
            assert!(text.parse::<PageLimit>().is_err(), "{text}");
        }
        assert_eq!("200".parse(), Ok(PageLimit(200)));
    }
}
