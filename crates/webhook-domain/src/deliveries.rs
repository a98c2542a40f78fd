//! Deliveries (each is an event owed to a webhook), from the first request to the last.

pub(crate) mod status;

// The request of an attempt.
pub(crate) mod request;
pub(crate) mod signature;

// The end of an attempt, and the consequence for the delivery.
pub(crate) mod answers;
pub(crate) mod body_end;
pub(crate) mod last_response;
pub(crate) mod outcome;
pub(crate) mod retry_after;
pub(crate) mod verdict;

// The consequence of an attempt for the webhook.
pub(crate) mod circuit;
pub(crate) mod hold;
pub(crate) mod observation;
pub(crate) mod webhook_health;

// Counts of attempts, messages about deliveries, and jobs over many of them.
pub(crate) mod job;
pub(crate) mod statistics;
pub(crate) mod status_event;
