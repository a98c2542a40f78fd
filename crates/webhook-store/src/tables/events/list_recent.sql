-- Reads the bodies of the latest events of some types in an environment, newest first. Test events do not count.
--
-- $1 text[]  types
-- $2 text    environment
-- $3 bigint  most events of a type
-- $4 bigint  most bytes of all bodies together
WITH grouped AS (
    SELECT newest.*
    FROM unnest($1::text[]) AS wanted (event_type), (VALUES (false), (true)) AS groups (matched)
    -- One look into the index `events_listed` for each group.
    CROSS JOIN LATERAL (
        SELECT event_type, body, received_at, id FROM events
        WHERE events.event_type = wanted.event_type
          AND events.environment = $2 AND events.matched = groups.matched
          AND test_webhook_id IS NULL
        ORDER BY received_at DESC, id DESC LIMIT $3
    ) AS newest
), recent AS (
    SELECT body, received_at, id,
           row_number() OVER (PARTITION BY event_type ORDER BY received_at DESC, id DESC) AS place
    FROM grouped
), sized AS (
    SELECT body, received_at, id,
           sum(octet_length(body)) OVER (ORDER BY received_at DESC, id DESC) AS bytes
    FROM recent WHERE place <= $3
)
SELECT body FROM sized WHERE bytes <= $4 ORDER BY received_at DESC, id DESC
