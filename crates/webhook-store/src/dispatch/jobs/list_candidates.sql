-- Lists the next events that a replay looks at, oldest first, and whether the webhook missed each.
--
-- $1 uuid         the webhook
-- $2 text[]       event types
-- $3 timestamptz  with $4: the place behind which to go on
-- $4 uuid         the id of the event at that place
-- $5 timestamptz  the end of the span of time
-- $6 bigint       the most events
SELECT id, received_at, NOT EXISTS (
    SELECT FROM deliveries WHERE event_id = event.id AND webhook_id = $1
) AS missed
FROM (
    -- The next events of each group of the index `events_listed`, merged.
    SELECT row.* FROM webhooks, unnest($2::text[]) AS wanted (event_type),
        (VALUES (false), (true)) AS groups (matched)
    CROSS JOIN LATERAL (
        SELECT id, received_at FROM events
        WHERE event_type = wanted.event_type AND environment = webhooks.environment
          AND matched = groups.matched AND test_webhook_id IS NULL
          AND (received_at, id) > ($3, $4) AND received_at < $5
        ORDER BY received_at, id LIMIT $6
    ) AS row
    WHERE webhooks.id = $1
    ORDER BY row.received_at, row.id LIMIT $6
) AS event
ORDER BY received_at, id
