//! Deliveries: listed, read with all attempts, retried and cancelled.

// Deliveries and attempts as the API shows them.
mod attempt;
mod body;

mod csv;
mod list;

mod cancel;
mod find;
mod retry;
mod retry_many;

// The entries of the audit log.
mod recorded;

pub use attempt::{AttemptBody, HeaderBody, RequestHeaderBody, TranscriptState};
pub use body::DeliveryBody;
pub use cancel::cancel_delivery;
pub use csv::write_deliveries_csv;
pub use find::{DeliveryWithAttempts, ManualRetry, ResendBody, find_delivery};
pub use list::{ListDeliveries, list_deliveries};
pub use retry::retry_delivery;
pub use retry_many::{NewRetry, RetryDeliveries, count_deliveries, retry_deliveries};
