-- Finds the time of the latest event of each type and environment. Test events do not count.
--
-- $1 text[]  types
-- $2 text[]  environments
SELECT wanted.event_type, kind.environment, max(newest.received_at)
FROM unnest($1::text[]) AS wanted (event_type), unnest($2::text[]) AS kind (environment),
     (VALUES (false), (true)) AS groups (matched)
-- One look into the index `events_listed` for each group.
CROSS JOIN LATERAL (
    SELECT received_at FROM events
    WHERE events.event_type = wanted.event_type
      AND events.environment = kind.environment AND events.matched = groups.matched
      AND test_webhook_id IS NULL
    ORDER BY received_at DESC, id DESC LIMIT 1
) AS newest
GROUP BY 1, 2
