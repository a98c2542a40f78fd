#![doc = include_str!("../README.md")]

pub mod topology;

mod cluster;
mod connection;
mod consumer;
mod error;
mod inspection;
mod message;
mod publisher;
mod rejection;
mod size_check;
mod trace_header;

pub use cluster::Cluster;
pub use connection::{BrokerUrl, InvalidBrokerUrl};
pub use consumer::{Consumer, SUSPECT_AFTER_RETURNS, consume};
pub use error::BrokerError;
pub use inspection::{BrokerFacts, Content, LargestMessage, PartState, inspect};
pub use message::Message;
pub use publisher::{BrokerState, PublishError, Publisher};
pub use rejection::Rejection;
pub use size_check::accepts_larger_messages;
pub use topology::Queue;
