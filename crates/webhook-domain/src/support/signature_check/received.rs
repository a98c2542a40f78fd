//! A request as seen by the receiver: perhaps changed on the way.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{DeliveryId, EventId, RequestHeader};

/// Received headers by name, in lower case.
#[derive(Debug, Clone, Default)]
pub struct ReceivedHeaders(BTreeMap<String, String>);

impl ReceivedHeaders {
    /// The most headers of one request that the API accepts: 100, more than any framework hands
    /// over.
    pub const MAX: usize = 100;

    /// Reads headers as the receiver's framework names them: in upper or lower case, or in the form
    /// of CGI (`HTTP_WEBHOOK_ID`) as in PHP, Django and Rack.
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

/// A request as seen by the receiver.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// The headers, normalised.
    pub headers: ReceivedHeaders,
    /// The body as received.
    pub body: Bytes,
}

impl ReceivedRequest {
    /// The event named in the headers. `None`: no header, or not an id.
    pub fn event_id(&self) -> Option<EventId> {
        self.headers.find(RequestHeader::MessageId)?.parse().ok()
    }

    /// The delivery named in the headers. `None`: no header, or not an id.
    pub fn delivery_id(&self) -> Option<DeliveryId> {
        self.headers.find(RequestHeader::Delivery)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_event_and_its_delivery_in_any_case() {
        let id = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";
        let request = |event: &str, delivery: &str| ReceivedRequest {
            headers: ReceivedHeaders::new([
                (event.to_owned(), format!(" {id} ")),
                (delivery.to_owned(), id.to_owned()),
            ]),
            body: Bytes::new(),
        };

        for request in [
            request("Webhook-Id", "X-Webhook-Delivery"),
            request("HTTP_WEBHOOK_ID", "HTTP_X_WEBHOOK_DELIVERY"),
        ] {
            assert_eq!(request.event_id(), id.parse().ok());
            assert_eq!(request.delivery_id(), id.parse().ok());
        }
        assert_eq!(request("a", "b").event_id(), None);
        assert_eq!(request("a", "b").delivery_id(), None);
    }
}
