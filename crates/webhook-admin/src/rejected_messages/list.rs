//! Lists rejected messages.

use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use uuid::Uuid;
use webhook_store::rejected_messages::{self, RejectedMessageFilter};

use super::body::RejectedMessageBody;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::lists::{Page, PageLimit, parse_cursor};
use crate::refusal::Refusal;
use crate::request;
use crate::values::{parse_search, parse_time};

request! {
    /// A page of the list of rejected messages.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListRejectedMessages {
        /// A text in the reason, in upper or lower case.
        #[param(max_length = 200)]
        search: Option<String> = optional(parse_search),
        /// The earliest time of rejection.
        since: Option<DateTime<Utc>> = optional(parse_time),
        /// The end of the times of rejection; a message rejected at `until` is left out.
        until: Option<DateTime<Utc>> = optional(parse_time),
        /// `next_cursor` of the page before.
        cursor: Option<Uuid> = optional(parse_cursor),
        /// Messages per page, 50 when left out.
        #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
        limit: PageLimit = or_default(str::parse),
    }
}

impl ListRejectedMessages {
    /// Reads a URL's query.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Fields::read_query(query, Self::take)
    }
}

/// Lists rejected messages, newest first.
pub async fn list_rejected_messages(
    list: &ListRejectedMessages,
    connections: &Connections,
) -> Result<Page<RejectedMessageBody>, Refusal> {
    let filter = RejectedMessageFilter {
        search: list.search.clone(),
        since: list.since,
        until: list.until,
    };
    let mut connection = connections.acquire().await?;
    let rows = list.limit.rows();
    let rows = rejected_messages::list(&mut connection, &filter, list.cursor, rows).await?;
    Ok(Page::of_rows(rows, list.limit, |row| row.id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_wrong_is_refused_with_every_name() {
        let refused = ListRejectedMessages::parse("since=soon&until=x&cursor=x&limit=0&page=2");

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["since", "until", "cursor", "limit", "page"]);
    }
}
