//! What an admin can do, without HTTP: read, change, retry and replay, and what is refused.
//!
//! REST handlers and the portal's pages call the same functions, so that both show the same and
//! refuse the same. A function takes domain types or a request's document, does its work in a
//! transaction, writes the audit log, and returns a body or a [`Refusal`].

// Who asks, and why a request is refused.
pub mod caller;
pub mod refusal;

// What a request holds: fields, values, and their schemas in the API's description.
pub mod duration;
pub mod fields;
pub mod request;
pub mod schema;
pub mod values;

// What requests have in common: lists in pages, versions, creations that are made once.
pub mod creation;
pub mod lists;
pub mod version;

// What operations work with.
pub mod connections;
pub mod decoding;
pub mod url_rules;

// What an admin can do, by what it is done to.
pub mod retry_policies;

// What is done from the command line, and what the fuzzer tries.
pub mod command_line;
pub mod fuzzing;

pub use caller::Caller;
pub use connections::Connections;
pub use refusal::Refusal;
