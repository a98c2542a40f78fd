//! Why RabbitMQ could not be used.

use std::time::Duration;

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};

/// Longest wait for RabbitMQ to accept a connection and to declare the topology. A queue without a
/// leader makes a declaration hang for longer.
pub(crate) const OPENS_WITHIN: Duration = Duration::from_secs(15);

/// Why RabbitMQ could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The connection or the channel failed.
    #[error("broker: {0}")]
    Amqp(#[from] lapin::Error),
    /// RabbitMQ ended the consumer or the channel.
    #[error("the broker ended the consumer")]
    Ended,
    /// RabbitMQ did not answer in time; a queue may have no leader.
    #[error("the broker did not answer within {} s", OPENS_WITHIN.as_secs())]
    TimedOut,
    /// An exchange or a queue is missing, and the user may declare neither.
    #[error(
        "{name} is not declared, and the RabbitMQ user may not declare queues and exchanges: grant `configure` on \
         `webhooks\\..*`, or declare everything beforehand, see docs/operating.md"
    )]
    NotDeclared {
        /// The missing part, for example `queue webhooks.events`.
        name: String,
    },
}

impl BrokerError {
    /// Whether RabbitMQ closed a channel for `reason`.
    pub(crate) fn is(&self, reason: AMQPSoftError) -> bool {
        let Self::Amqp(error) = self else {
            return false;
        };
        let ErrorKind::ProtocolError(error) = error.kind() else {
            return false;
        };
        *error.kind() == AMQPErrorKind::Soft(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::protocol::{AMQPError, AMQPHardError};

    fn protocol_error(kind: AMQPErrorKind) -> BrokerError {
        let error = AMQPError::new(kind, "because".into());
        BrokerError::Amqp(ErrorKind::ProtocolError(error).into())
    }

    #[test]
    fn only_a_channel_closed_for_the_reason_is_closed_for_the_reason() {
        let refused = protocol_error(AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED));
        let broken = protocol_error(AMQPErrorKind::Hard(AMQPHardError::FRAMEERROR));

        assert!(refused.is(AMQPSoftError::ACCESSREFUSED));
        assert!(!refused.is(AMQPSoftError::NOTFOUND));
        assert!(!broken.is(AMQPSoftError::ACCESSREFUSED));
        assert!(!BrokerError::TimedOut.is(AMQPSoftError::ACCESSREFUSED));
    }
}
