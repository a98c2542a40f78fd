-- Cancels a pending delivery. Returns the webhook and the ordering key of the delivery.
--
-- $1 uuid  the delivery
WITH gone AS (
    DELETE FROM deliveries_pending WHERE id = $1 RETURNING *
), moved AS (
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
)
SELECT webhook_id, ordering_key FROM gone
