-- The due time of the oldest delivery in the backlogs of an environment's Active webhooks. Null: nothing is
-- overdue.
--
-- $1 text  the environment
SELECT min(least(
    -- The first entry of each of a webhook's queues in the index `deliveries_backlog`: a million deliveries of a
    -- webhook cost no more than one. A look at both queues takes some 5 µs, also where a webhook has no backlog.
    (SELECT min(next_attempt_at) FROM deliveries_pending WHERE webhook_id = webhooks.id AND backlog = 0),
    (SELECT min(next_attempt_at) FROM deliveries_pending WHERE webhook_id = webhooks.id AND backlog = 1)))
FROM webhooks
WHERE environment = $1 AND status = 'active'
