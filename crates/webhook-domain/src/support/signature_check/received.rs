//! A request as its receiver saw it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{DeliveryId, EventId, RequestHeader};

/// Headers by name.
#[derive(Debug, Clone, Default)]
pub struct ReceivedHeaders(BTreeMap<String, String>);

impl ReceivedHeaders {
    /// The most that are taken.
    pub const MAX: usize = 100;

    /// Takes headers as a receiver's framework names them: in any case, or the way of CGI,
    /// `HTTP_WEBHOOK_ID`, as PHP, Django and Rack do.
    pub fn new(headers: impl IntoIterator<Item = (String, String)>) -> Self {
        let named = headers.into_iter().map(|(name, value)| {
            let name = name.trim().to_ascii_lowercase().replace('_', "-");
            let name = name.strip_prefix("http-").unwrap_or(&name).to_owned();
            (name, value)
        });
        Self(named.collect())
    }

    pub(super) fn find(&self, header: RequestHeader) -> Option<&str> {
        let value = self.0.get(&header.in_lower_case())?;
        Some(value.trim())
    }
}

/// A request as its receiver saw it.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// Its headers.
    pub headers: ReceivedHeaders,
    /// Its body.
    pub body: Bytes,
}

impl ReceivedRequest {
    /// The event that its headers name.
    pub fn event_id(&self) -> Option<EventId> {
        self.headers.find(RequestHeader::MessageId)?.parse().ok()
    }

    /// The delivery that its headers name.
    pub fn delivery_id(&self) -> Option<DeliveryId> {
        self.headers.find(RequestHeader::Delivery)?.parse().ok()
    }
}
