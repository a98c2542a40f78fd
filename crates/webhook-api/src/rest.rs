//! The handlers of the REST API: each parses, makes one call to `webhook-admin`, and responds.

pub(crate) mod retry_policies;
