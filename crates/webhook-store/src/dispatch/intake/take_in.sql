-- Stores the events of a batch, and the deliveries that webhooks are owed for them. Returns the ids of
-- the events that were known before, or that another worker is storing now: these are passed over.
--
-- Places of $14: 0 leased by this worker, 1 in the backlog, 2 waits for the turn of its ordering key.
--
-- $1  timestamptz    the time at which webhooks were matched
-- $2  uuid[]         ids of the events
-- $3  text[]         their types
-- $4  text[]         their environments
-- $5  timestamptz[]  their times, by the publishers' clocks
-- $6  bytea[]        their bodies
-- $7  uuid[]         the webhook of a test event, else null
-- $8  boolean[]      whether any webhook is owed the event
-- $9  timestamptz    the time at which the deliveries were created
-- $10 timestamptz    the end of the lease
-- $11 uuid[]         ids of the deliveries
-- $12 uuid[]         their events
-- $13 uuid[]         their webhooks
-- $14 smallint[]     their places
-- $15 uuid[]         their ordering keys, or null
-- $16 text[]         the traceparents of the events, or null
WITH fresh AS (
    -- The events. Another worker's insert of the same id is waited for, and then passed over.
    INSERT INTO events
        (id, event_type, environment, occurred_at, body, test_webhook_id, matched, traceparent, received_at)
    SELECT *, $1::timestamptz
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::uuid[],
        $8::boolean[], $16::text[])
    ON CONFLICT (id) DO NOTHING
    RETURNING id, event_type, environment, test_webhook_id
), owed AS (
    -- The deliveries, in the order of their ids, so that indexes grow at their end.
    INSERT INTO deliveries_pending
        (id, event_id, webhook_id, event_type, environment, test, created_at,
         next_attempt_at, backlog, ordering_key, ordering_sequence)
    SELECT owed.id, event_id, webhook_id, event_type::event_type, environment::environment,
           test_webhook_id IS NOT NULL, $9::timestamptz,
           CASE place WHEN 0 THEN $10::timestamptz WHEN 1 THEN now() END,
           CASE place WHEN 1 THEN 0 END,
           ordering_key,
           CASE place WHEN 2 THEN nextval('deliveries_ordering') END
    FROM unnest($11::uuid[], $12::uuid[], $13::uuid[], $14::smallint[], $15::uuid[])
        AS owed (id, event_id, webhook_id, place, ordering_key)
    JOIN fresh ON fresh.id = owed.event_id
    ORDER BY owed.id
)
SELECT incoming.id FROM unnest($2::uuid[]) AS incoming (id) LEFT JOIN fresh USING (id)
WHERE fresh.id IS NULL
