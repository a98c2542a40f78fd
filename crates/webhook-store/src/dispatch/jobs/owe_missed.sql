-- Creates the deliveries of events that a webhook missed. Returns the deliveries, with the event's body
-- if the webhook has an ordering field: the caller computes the ordering key from the body.
--
-- The deliveries wait as retries (backlog 1), so that deliveries of new events are not delayed; ordered
-- deliveries wait for their turn.
--
-- $1 uuid         the webhook
-- $2 uuid[]       the events, in their order
-- $3 text         the first 24 digits of the deliveries' ids
-- $4 timestamptz  the time in these ids, as created_at
-- $5 text         the name of the admin who started the job
-- $6 uuid         the job
WITH given AS (
    -- The webhook with its current settings. For an Inactive webhook no delivery is created.
    SELECT id AS webhook_id, ordering_field FROM webhooks
    WHERE status = 'active' AND id = $1
), kept AS (
    -- The events, locked, so that retention removes no event that becomes owed here.
    SELECT events.* FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place)
    JOIN events USING (id)
    ORDER BY place FOR KEY SHARE OF events
), owed AS (
    INSERT INTO deliveries_pending (id, event_id, webhook_id, event_type, environment, created_at,
        next_attempt_at, backlog, ordering_sequence)
    SELECT ($3::text || lpad(to_hex(row_number() OVER ()), 8, '0'))::uuid,
        kept.id, webhook_id, event_type::event_type, environment::environment, $4::timestamptz,
        CASE WHEN ordering_field IS NULL THEN now() END,
        CASE WHEN ordering_field IS NULL THEN 1 END,
        CASE WHEN ordering_field IS NOT NULL THEN nextval('deliveries_ordering') END
    FROM given, kept
    RETURNING id, event_id
), noted AS (
    INSERT INTO resends (delivery_id, after_attempt, status_before, actor_name, job_id)
    SELECT id, 0, 'missed', $5::text, $6::uuid FROM owed
)
SELECT owed.id, event_id, ordering_field, event_type, environment, occurred_at,
       CASE WHEN ordering_field IS NOT NULL THEN body END
FROM given, owed JOIN kept ON kept.id = event_id
