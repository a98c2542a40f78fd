-- Leases one delivery for each webhook whose circuit is open and whose pause is over, and reads the
-- event: the probe. A test event is no probe: tests count for no circuit.
--
-- $1 timestamptz  the end of the lease
WITH given AS (
    SELECT $1::timestamptz AS lease_until
), probed AS (
    SELECT webhook_health.webhook_id, version,
           coalesce(max_concurrency, pace_concurrency) AS max_concurrency
    FROM webhook_health
    JOIN webhooks ON webhooks.id = webhook_health.webhook_id AND webhooks.status = 'active'
    WHERE paused_until <= now() AND (held_until IS NULL OR held_until <= now())
      AND EXISTS (SELECT FROM deliveries_pending AS delivery
                  WHERE delivery.webhook_id = webhook_health.webhook_id
                    AND backlog IS NOT NULL AND NOT test)
    ORDER BY paused_until LIMIT 100
    -- The lock, and the time moved ahead below: one worker sends one probe, and another worker
    -- follows if that one dies.
    FOR UPDATE OF webhook_health SKIP LOCKED
), kept AS (
    SELECT row.id, probed.webhook_id, version, max_concurrency, 1 AS rank, false AS rate_limited
    FROM probed CROSS JOIN LATERAL (
        SELECT id FROM deliveries_pending AS delivery
        WHERE delivery.webhook_id = probed.webhook_id AND backlog IS NOT NULL AND NOT test
        ORDER BY next_attempt_at LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS row
), moved AS (
    UPDATE webhook_health SET paused_until = (SELECT lease_until FROM given)
    WHERE webhook_id = ANY(ARRAY(SELECT webhook_id FROM kept))
), claimed AS (
    -- The lease.
    UPDATE deliveries_pending AS delivery
    SET next_attempt_at = (SELECT lease_until FROM given), backlog = NULL
    WHERE delivery.id = ANY(ARRAY(SELECT id FROM kept))
    RETURNING delivery.id, event_id, webhook_id, attempts, schedule_from, ordering_key,
        coalesce(schedule_since, created_at) AS schedule_since, throttled
)
-- Only the first delivery of an event brings the body, which the others share.
SELECT claimed.id, claimed.webhook_id, kept.version, kept.max_concurrency,
       claimed.attempts, claimed.schedule_from, claimed.ordering_key, kept.rate_limited,
       claimed.schedule_since, claimed.throttled,
       events.id, events.event_type, events.environment, occurred_at, test_webhook_id,
       traceparent,
       CASE WHEN row_number() OVER (PARTITION BY events.id ORDER BY kept.rank, kept.id) = 1
            THEN body END
FROM claimed JOIN kept ON kept.id = claimed.id JOIN events ON events.id = claimed.event_id
WHERE events.id = ANY(ARRAY(SELECT event_id FROM claimed))
ORDER BY kept.rank, kept.id
