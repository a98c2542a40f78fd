//! Deliveries: one event owed to one webhook, from the first request to the last.

pub(crate) mod status;

// The request of an attempt.
pub(crate) mod request;
pub(crate) mod signature;

// How an attempt ends, and what follows for its delivery.
pub(crate) mod body_end;
pub(crate) mod last_response;
pub(crate) mod outcome;
pub(crate) mod retry_after;
pub(crate) mod verdict;

// What follows for its webhook.
pub(crate) mod circuit;
pub(crate) mod hold;
pub(crate) mod observation;

// What is counted, told and repeated of deliveries.
pub(crate) mod job;
pub(crate) mod statistics;
pub(crate) mod status_event;
