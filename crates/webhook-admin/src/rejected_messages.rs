//! Rejected messages: AMQP messages that could not be events, or whose delivery limit in the broker was
//! reached. Admins list and read them, and requeue or discard them.

mod body;
mod selection;

mod find;
mod list;

// A single message.
mod discard;
mod requeue;

// All messages of a selection.
mod discard_many;
mod requeue_many;

pub use body::{RejectedMessageBody, RejectedMessageWithBody, readable};
pub use discard::discard_rejected_message;
pub use discard_many::{RejectedMessagesDiscarded, discard_rejected_messages};
pub use find::find_rejected_message;
pub use list::{ListRejectedMessages, list_rejected_messages};
pub use requeue::requeue_rejected_message;
pub use requeue_many::{RejectedMessagesRequeued, requeue_rejected_messages};
pub use selection::{SelectRejectedMessages, read_clock};
