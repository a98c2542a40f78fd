//! RabbitMQ: the one place that knows exchanges and queues, confirms and acknowledgements.

pub mod topology;

mod connection;
mod consumer;
mod publisher;
mod rejection;

pub use connection::{BrokerError, BrokerUrl};
pub use consumer::{Intake, Message, consume};
pub use publisher::{PublishError, Publisher};
pub use rejection::{Origin, Rejection};
pub use topology::Queue;
