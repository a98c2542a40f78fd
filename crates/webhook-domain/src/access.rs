//! Access: roles and keys, callable addresses, and the settings of the whole platform.

pub(crate) mod address_policy;
pub(crate) mod api_key;
pub(crate) mod audit_action;
pub(crate) mod link_patterns;
pub(crate) mod platform_settings;
pub(crate) mod portal_url;
pub(crate) mod role;
pub(crate) mod session;
