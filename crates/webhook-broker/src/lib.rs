//! RabbitMQ: the one place that knows exchanges and queues, confirms and acknowledgements.

pub mod topology;

mod connection;
mod consumer;
mod message;
mod publisher;
mod rejection;

pub use connection::{BrokerError, BrokerUrl};
pub use consumer::{Intake, SUSPECT, consume};
pub use message::Message;
pub use publisher::{BrokerState, PublishError, Publisher, accepts_larger_messages};
pub use rejection::Rejection;
pub use topology::Queue;
