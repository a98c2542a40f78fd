#![doc = include_str!("../README.md")]
#![allow(
    unused_qualifications,
    reason = "the macro that describes a body qualifies its types"
)]

// Who asks, and why a request is refused.
pub mod caller;
pub mod refusal;

// What a request holds: fields, values, and their schemas in the API's description.
pub mod duration;
pub mod fields;
pub mod patch;
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
pub mod api_keys;
pub mod audit;
pub mod jobs;
pub mod retry_policies;
pub mod sessions;
pub mod settings;
pub mod signatures;
pub mod webhooks;

// What is done from the command line, and what the fuzzer tries.
pub mod command_line;
pub mod fuzzing;

pub use caller::Caller;
pub use connections::Connections;
pub use refusal::Refusal;
