-- Finds the webhooks that want the events of a batch, as they are committed now.
--
-- The statement asks once for each kind of event (environment and type, or a test), for any number of
-- events of that kind.
--
-- $1 text[]  environments
-- $2 text[]  event types; not every pair of $1 and $2 need be in the batch
-- $3 uuid[]  webhooks with test events in the batch
WITH wanted AS MATERIALIZED (
    SELECT environment, event_type, webhook_id, false AS test FROM subscriptions
    WHERE environment = ANY($1) AND event_type = ANY($2)
    UNION ALL
    -- A test event is for one webhook, whatever types that webhook is subscribed to.
    SELECT NULL, NULL, webhook_id, true FROM unnest($3::uuid[]) AS test (webhook_id)
), active AS MATERIALIZED (
    SELECT id, version, coalesce(max_concurrency, pace_concurrency) AS max_concurrency, ordering_field,
           rate_limit IS NOT NULL OR pace_interval_us IS NOT NULL AS has_rate
    FROM webhooks
    WHERE id = ANY(ARRAY(SELECT webhook_id FROM wanted)) AND status = 'active'
), blocked AS MATERIALIZED (
    -- Webhooks with an open circuit or a running hold: their deliveries go to the backlog.
    SELECT webhook_id, paused_until IS NOT NULL OR coalesce(held_until > now(), false) AS is_blocked
    FROM webhook_health
    WHERE webhook_id = ANY(ARRAY(SELECT webhook_id FROM wanted))
)
-- A test has no order, and waits for no rate, circuit or hold: an admin watches for the response.
SELECT now(), environment, event_type, id, version, max_concurrency,
       CASE WHEN NOT test THEN ordering_field END,
       NOT test AND (has_rate OR coalesce(blocked.is_blocked, false))
FROM wanted JOIN active ON active.id = wanted.webhook_id
LEFT JOIN blocked ON blocked.webhook_id = wanted.webhook_id
UNION ALL
-- A row for the time alone, so that the time is known when no webhook wants any of the events.
SELECT now(), NULL, NULL, NULL, NULL, NULL, NULL, NULL
