//! Reads every stored value again, through the API and as pages.

use std::sync::Arc;

use futures_util::StreamExt;
use reqwest::Method;

use crate::{Platform, Visitor};

/// Reads at the same time.
const AT_ONCE: usize = 8;

/// A list of the API, and the pages of the portal for the items of the list.
struct Shelf {
    list: &'static str,
    /// The path of an item by id; empty when items have no path.
    one: &'static str,
    page: &'static str,
    page_of_one: &'static str,
}

const SHELVES: [Shelf; 6] = [
    Shelf {
        list: "/api/v1/deliveries",
        one: "/api/v1/deliveries/",
        page: "/admin/webhook-deliveries",
        page_of_one: "/admin/webhook-deliveries/",
    },
    Shelf {
        list: "/api/v1/events",
        one: "/api/v1/events/",
        page: "/admin/events",
        page_of_one: "/admin/events/",
    },
    Shelf {
        list: "/api/v1/rejected-messages",
        one: "/api/v1/rejected-messages/",
        page: "/admin/rejected-messages",
        page_of_one: "/admin/rejected-messages/",
    },
    Shelf {
        list: "/api/v1/jobs",
        one: "/api/v1/jobs/",
        page: "/admin/jobs",
        page_of_one: "/admin/jobs/",
    },
    Shelf {
        list: "/api/v1/webhooks",
        one: "/api/v1/webhooks/",
        page: "/admin/webhooks",
        page_of_one: "/admin/webhooks/",
    },
    Shelf {
        list: "/api/v1/audit",
        one: "",
        page: "/admin/audit",
        page_of_one: "",
    },
];

/// Reads every item of every list. Returns the number of reads, and the reads that were not answered
/// with 200.
pub(super) async fn read_all(platform: &Platform) -> (usize, Vec<String>) {
    let visitor = Arc::new(Visitor::sign_in(&platform.api, &platform.key).await);
    let (mut read, mut unreadable) = (0, Vec::new());
    for shelf in &SHELVES {
        let (ids, pages) = ids_of(platform, shelf.list, &mut unreadable).await;
        read += pages;
        let mut paths = vec![shelf.page.to_owned()];
        if !shelf.one.is_empty() {
            paths.extend(ids.iter().map(|id| format!("{}{id}", shelf.one)));
            paths.extend(ids.iter().map(|id| format!("{}{id}", shelf.page_of_one)));
        }
        read += paths.len();
        let asked = futures_util::stream::iter(paths).map(|path| {
            let visitor = visitor.clone();
            async move {
                let status = if path.starts_with("/api/") {
                    platform.ask(Method::GET, &path, None).await.0
                } else {
                    visitor.get(&path).await.status()
                };
                (status != 200).then(|| format!("{status} {path}"))
            }
        });
        let refused: Vec<Option<String>> = asked.buffer_unordered(AT_ONCE).collect().await;
        unreadable.extend(refused.into_iter().flatten());
    }
    (read, unreadable)
}

/// The ids of all items of a list, and the number of pages.
async fn ids_of(
    platform: &Platform,
    list: &str,
    unreadable: &mut Vec<String>,
) -> (Vec<String>, usize) {
    let (mut ids, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let path = format!("{list}?limit=200{cursor}");
        let (status, page) = platform.ask(Method::GET, &path, None).await;
        pages += 1;
        if status != 200 {
            unreadable.push(format!("{status} {path}"));
            return (ids, pages);
        }
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        let found = rows.iter().filter_map(|row| row["id"].as_str());
        ids.extend(found.map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, pages),
        }
    }
}
