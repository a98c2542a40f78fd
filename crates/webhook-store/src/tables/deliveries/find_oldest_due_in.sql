-- The due time of the oldest delivery in the backlogs of an environment's Active webhooks. Null: nothing is
-- overdue.
--
-- $1 text  the environment
WITH RECURSIVE oldest AS (
    -- The oldest delivery of each queue. This hops from queue to queue over the index `deliveries_backlog`,
    -- where it is the first entry: a million deliveries of one webhook cost no more than one.
    (SELECT webhook_id, backlog, next_attempt_at FROM deliveries_pending WHERE backlog IS NOT NULL
     ORDER BY webhook_id, backlog, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT next.webhook_id, next.backlog, next.next_attempt_at
    FROM oldest CROSS JOIN LATERAL (
        SELECT webhook_id, backlog, next_attempt_at FROM deliveries_pending AS delivery
        WHERE delivery.backlog IS NOT NULL
          AND (delivery.webhook_id, delivery.backlog) > (oldest.webhook_id, oldest.backlog)
        ORDER BY webhook_id, backlog, next_attempt_at LIMIT 1
    ) AS next
)
SELECT min(next_attempt_at) FROM oldest JOIN webhooks ON webhooks.id = webhook_id
WHERE webhooks.environment = $1 AND webhooks.status = 'active'
