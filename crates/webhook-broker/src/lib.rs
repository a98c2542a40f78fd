//! RabbitMQ: the one place that knows exchanges and queues, confirms and acknowledgements.

pub mod topology;

mod connection;
mod consumer;
mod message;
mod publisher;
mod rejection;
mod size_check;

pub use connection::{BrokerError, BrokerUrl, InvalidBrokerUrl};
pub use consumer::{Intake, SUSPECT, consume};
pub use message::Message;
pub use publisher::{BrokerState, PublishError, Publisher};
pub use rejection::Rejection;
pub use size_check::accepts_larger_messages;
pub use topology::Queue;
