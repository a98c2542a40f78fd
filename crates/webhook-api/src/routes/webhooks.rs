//! Test events of webhooks.

pub(crate) mod test_event;
