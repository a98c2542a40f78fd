-- Cancels a pending delivery. Returns its webhook and ordering key.
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
    -- An event that is published again after it was removed as old may find the delivery of its first
    -- time still here.
    ON CONFLICT (event_id, webhook_id) DO NOTHING
)
SELECT webhook_id, ordering_key FROM gone
