//! Replays and test events of webhooks.

pub(crate) mod replay;
pub(crate) mod test_event;
