-- Counts webhooks by state, dispatchers, status events and attempts, and finds the ages of the oldest rows, for
-- the metrics of the dispatcher that counts.
--
-- $1 double precision  the time without a sign of life after which a dispatcher counts as gone, in seconds
-- $2 bigint            the most status events that are counted
WITH states AS (
    SELECT count(*) FILTER (WHERE status = 'active') AS active,
           count(*) FILTER (WHERE status <> 'active') AS inactive,
           count(*) FILTER (WHERE status <> 'active' AND disabled_reason IS NOT NULL) AS disabled,
           count(*) FILTER (WHERE status = 'active' AND failures > 0) AS failing,
           count(*) FILTER (WHERE status = 'active' AND paused_until IS NOT NULL) AS circuit_open,
           count(*) FILTER (WHERE status = 'active' AND held_until > now()) AS held
    FROM webhooks LEFT JOIN webhook_health ON webhook_health.webhook_id = webhooks.id
    WHERE deleted_at IS NULL
)
SELECT active, inactive, disabled, failing, circuit_open, held,
       (SELECT count(*) FROM dispatchers WHERE seen_at > now() - $1 * interval '1 second'),
       (SELECT count(*) FROM (SELECT FROM status_events LIMIT $2) AS row),
       -- Attempts of this hour and the last: their difference between two looks is a rate.
       (SELECT coalesce(sum(attempts), 0)::bigint FROM total_hours
        WHERE hour >= date_trunc('hour', now()) - interval '1 hour'),
       (SELECT extract(epoch FROM now() - ended_at)::float8 FROM deliveries_ended ORDER BY id LIMIT 1),
       -- An event with a pending delivery stays, however old. If the oldest thousand all stay, none is told.
       (SELECT extract(epoch FROM now() - received_at)::float8
        FROM (SELECT id, received_at FROM events ORDER BY received_at LIMIT 1000) AS oldest
        WHERE NOT EXISTS (SELECT FROM deliveries_pending WHERE event_id = oldest.id)
        ORDER BY received_at LIMIT 1),
       (SELECT extract(epoch FROM now() - recorded_at)::float8 FROM exchanges ORDER BY id LIMIT 1)
FROM states
