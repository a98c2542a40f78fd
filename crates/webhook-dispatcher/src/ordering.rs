//! Whose turn it is, for webhooks that want their events in order.

use webhook_store::ordering::{Turns, release_heads};
use webhook_store::{Pool, acquire};

/// Makes the first delivery of each key due, once what came before it is committed.
///
/// A failure here delays a key until the sweep finds it, and loses nothing.
pub(crate) async fn release(pool: &Pool, turns: Turns) {
    if turns.is_empty() {
        return;
    }
    let keys = turns.len();
    let released = async {
        let mut connection = acquire(pool).await?;
        release_heads(&mut connection, turns).await
    };
    if let Err(error) = released.await {
        log::warn!("the turn of {keys} keys comes later: {error}");
    }
}
