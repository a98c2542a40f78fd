//! Runners: tasks making one attempt after the other for a webhook, as many tasks as the webhook may
//! have requests at once. A runner ends when the lane has no assignment left.

use std::sync::Arc;

use chrono::Utc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use webhook_domain::WebhookId;
use webhook_metrics::catalogue::LEASES_LOST;
use webhook_store::LeasedDelivery;

use super::backlog::Backlog;
use super::courier::Courier;
use super::destinations::Destinations;
use super::lanes::{AssignmentEnd, Lanes, Offered};
use super::message_links::LinksCache;

/// The parts shared by all runners.
pub(crate) struct Runners {
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) destinations: Arc<Destinations>,
    pub(crate) message_links: LinksCache,
    pub(crate) courier: Courier,
    /// The tasks of all runners, for the stop to wait for.
    pub(crate) tasks: TaskTracker,
    /// Cuts off running attempts.
    pub(crate) cut_off: CancellationToken,
}

impl Runners {
    /// Puts deliveries into lanes, starts runners, and hands back the deliveries without room.
    pub(crate) async fn offer(self: &Arc<Self>, leased: Vec<LeasedDelivery>) {
        // A single read for all destinations of the batch, before each runner would read one.
        let wanted = leased.iter().map(|l| (l.webhook_id, l.webhook_version));
        self.destinations.learn(wanted).await;
        let Offered { starting, no_room } = self.lanes.take_all(leased);
        self.start(starting);
        // After the start, as handing back waits for Postgres.
        self.backlog.queue_hand_back(no_room);
        self.backlog.hand_back_queued().await;
    }

    /// Starts a runner for each entry. The lane counts the runner already.
    pub(crate) fn start(self: &Arc<Self>, webhook_ids: impl IntoIterator<Item = WebhookId>) {
        for webhook_id in webhook_ids {
            self.tasks.spawn(run(self.clone(), webhook_id));
        }
    }

    /// Makes an attempt. An attempt that is cut off does not count: the next worker to lease the delivery
    /// makes the attempt.
    async fn run_assignment(&self, leased: &LeasedDelivery) -> AssignmentEnd {
        tokio::select! {
            end = self.try_assignment(leased) => end,
            () = self.cut_off.cancelled() => AssignmentEnd::NotAttempted,
        }
    }

    async fn try_assignment(&self, leased: &LeasedDelivery) -> AssignmentEnd {
        let found = self
            .destinations
            .find(leased.webhook_id, leased.webhook_version);
        let destination = match found.await {
            Ok(Some(destination)) => destination,
            Ok(None) => return AssignmentEnd::Impossible("the webhook was deleted".to_owned()),
            Err(error) => return AssignmentEnd::Impossible(error.to_string()),
        };
        // A test goes on, as during the hold of a single webhook.
        let waits = destination.is_at_discord && !leased.is_test();
        if waits && self.lanes.is_held_at_discord(leased.webhook_id) {
            return AssignmentEnd::NotAttempted;
        }
        let links = self
            .message_links
            .find(destination.stored.body.format())
            .await;
        // Asked last, as reading the destination and the links takes time too.
        if self
            .courier
            .would_outlive_lease(&destination, leased, Utc::now())
        {
            LEASES_LOST.add(1);
            return AssignmentEnd::NotAttempted;
        }
        match self.courier.attempt(&destination, &links, leased).await {
            Ok(answer) => AssignmentEnd::Attempted(answer),
            Err(failure) => AssignmentEnd::Impossible(failure.detail.into_string()),
        }
    }

    async fn give_back(&self, leased: LeasedDelivery) {
        self.backlog.queue_hand_back([leased]);
        // After the deadline every runner gives a delivery back: the stop hands all of them back by a
        // single statement at the end.
        if !self.cut_off.is_cancelled() {
            self.backlog.hand_back_queued().await;
        }
    }
}

async fn run(runners: Arc<Runners>, webhook_id: WebhookId) {
    while let Some(leased) = runners.lanes.next(webhook_id) {
        let end = runners.run_assignment(&leased).await;
        if runners.lanes.finish(&leased, &end) {
            runners.start([webhook_id]);
        }
        match end {
            AssignmentEnd::Attempted(_) => {}
            AssignmentEnd::NotAttempted => runners.give_back(leased).await,
            AssignmentEnd::Impossible(_) => {
                runners.give_back(leased).await;
                // The lane rests, and another worker may be able to attempt the waiting deliveries.
                runners.lanes.hand_back(&[webhook_id]).await;
            }
        }
    }
}
