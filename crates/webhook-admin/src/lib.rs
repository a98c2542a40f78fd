#![doc = include_str!("../README.md")]
#![allow(
    unused_qualifications,
    reason = "the macro that describes a body qualifies its types"
)]

// The caller, and the refusals.
pub mod caller;
pub mod refusal;

// Requests: fields, values, and the schemas of both in the API's description.
pub mod duration;
pub mod fields;
pub mod patch;
pub mod request;
pub mod schema;
pub mod values;

// Kinds of requests: lists in pages, changes of a version, creations that happen once.
pub mod creation;
pub mod lists;
pub mod named_counts;
pub mod version;

// The tools of operations.
pub mod connections;
pub mod csv;
pub mod decoding;
pub mod url_rules;

// The operations on events and deliveries, by resource.
pub mod deliveries;
pub mod dispatchers;
pub mod event_types;
pub mod events;
pub mod jobs;
pub mod overview;
pub mod rejected_messages;
pub mod statistics;

// The other operations, by resource.
pub mod api_keys;
pub mod audit;
pub mod retry_policies;
pub mod sessions;
pub mod settings;
pub mod signatures;
pub mod webhooks;

// The operations of the command line, and the fuzzer's entry points.
pub mod command_line;
pub mod fuzzing;

pub use caller::Caller;
pub use connections::Connections;
pub use refusal::Refusal;
