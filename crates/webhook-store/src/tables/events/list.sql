-- Lists events, newest first. Reads a few hundred rows, however many events there are.
--
-- The index `events_listed` holds events in 126 groups, each in the order of time: 21 types,
-- 3 environments, `matched` or not. This merges the groups that are asked for.
--
-- $1 timestamptz    the start of the span of time that is listed
-- $2 timestamptz    with $3: the place before which the page begins
-- $3 uuid           the id of the event at that place
-- $4 text[]         types
-- $5 text[]         environments
-- $6 boolean[]      values of `matched`
-- $7 bigint         the length of the page less one
-- $8 bigint         the length of the page
WITH sample AS (
    -- The newest four of each group. Four of each of 126 groups are more than two of the longest
    -- pages, so they tell how far back a page can reach.
    SELECT kind.*, newest.received_at
    FROM (
        SELECT * FROM unnest($4::text[]) AS event_type, unnest($5::text[]) AS environment, unnest($6::boolean[]) AS matched
    ) AS kind
    CROSS JOIN LATERAL (
        SELECT received_at FROM events
        WHERE events.event_type = kind.event_type
          AND events.environment = kind.environment AND events.matched = kind.matched
          AND received_at >= $1 AND (received_at, id) < ($2, $3)
        ORDER BY received_at DESC, id DESC LIMIT 4
    ) AS newest
), horizon AS (
    -- If the samples fill a page, no event of the page is older than the last sample of a page.
    SELECT received_at FROM sample
    ORDER BY received_at DESC LIMIT 1 OFFSET $7
), listed AS (
    -- The page: the newest events of each group down to the horizon, merged.
    SELECT newest.id
    FROM (SELECT DISTINCT event_type, environment, matched FROM sample) AS kind
    CROSS JOIN LATERAL (
        SELECT received_at, id FROM events
        WHERE events.event_type = kind.event_type
          AND events.environment = kind.environment AND events.matched = kind.matched
          AND received_at >= coalesce((SELECT received_at FROM horizon), $1)
          AND (received_at, id) < ($2, $3)
        ORDER BY received_at DESC, id DESC LIMIT $8
    ) AS newest
    ORDER BY received_at DESC, newest.id DESC LIMIT $8
)
SELECT id, event_type, environment, occurred_at, received_at, matched, test_webhook_id
FROM events WHERE id = ANY(ARRAY(SELECT id FROM listed))
ORDER BY received_at DESC, id DESC
