-- Cancels pending deliveries of a webhook.
--
-- $1 uuid    the webhook
-- $2 bigint  the most deliveries
WITH gone AS (
    DELETE FROM deliveries_pending WHERE id = ANY(ARRAY(
        SELECT id FROM deliveries_pending
        WHERE webhook_id = $1
        -- A delivery that another worker is moving on now is left to a later call.
        LIMIT $2 FOR UPDATE SKIP LOCKED
    ))
    RETURNING *
)
INSERT INTO deliveries_ended (id, event_id, webhook_id, event_type, environment, test,
    schedule_from, ordering_key, ordering_sequence, created_at, ended_at,
    status, attempts, last_answer)
SELECT id, event_id, webhook_id, event_type, environment, test,
    schedule_from, ordering_key, ordering_sequence, created_at, now(),
    'cancelled', attempts, last_answer
FROM gone
-- An event that is published again after retention removed the event may still have its first
-- delivery in `deliveries_ended`. The second delivery then leaves no row.
ON CONFLICT (event_id, webhook_id) DO NOTHING
