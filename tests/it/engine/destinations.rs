//! Destinations: a webhook with an unreadable row does not hold up other webhooks.

use webhook_domain::WebhookId;
use webhook_tests::{Receiver, Stage, WebhookSample, events};

/// Gives a webhook an environment that the program does not know. Without the foreign key, which would
/// change the subscriptions as well, the intake goes on to owe events to the webhook.
async fn set_unknown_environment(stage: &Stage, webhook_id: WebhookId) {
    let sql = format!(
        "SET session_replication_role = replica;
         UPDATE webhooks SET environment = 'moon' WHERE id = '{webhook_id}'"
    );
    stage.world.database.execute(&sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_an_unknown_environment_is_passed_over_and_the_others_get_their_events() {
    let stage = Stage::new(&[]).await;
    let odd_receiver = Receiver::answering(&[]).await;
    let odd = WebhookSample::at(&odd_receiver.url);
    let mut connection = stage.world.database.connection().await;
    let odd = odd.store(&mut connection).await;
    drop(connection);
    set_unknown_environment(&stage, odd.id).await;

    stage.publish_all(&events(20)).await;
    stage.ended(20).await;

    assert_eq!(stage.receiver.bodies().len(), 20);
    assert_eq!(odd_receiver.count(), 0);
    let (database, odd) = (&stage.world.database, odd.id.to_string());
    assert_eq!(database.deliveries().await, 40, "both webhooks are owed");
    assert_eq!(database.delivered_to(&odd).await, 0);
    stage.end().await;
}
