-- Leases deliveries from the backlogs of active webhooks, as far as lanes have room and rate limits
-- allow, and reads their events.
--
-- Rows are named by arrays and not by joins, so that the planner never reads a large table whole.
--
-- backlog: 0 a first attempt, 1 a retry.
--
-- $1 uuid[]       webhooks whose lanes' room is not $5
-- $2 integer[]    room for first attempts in each lane
-- $3 integer[]    room for retries in each lane
-- $4 integer[]    deliveries that each lane holds already
-- $5 integer      the room of every other webhook, for first attempts and for retries each
-- $6 timestamptz  the end of the lease
-- $7 integer      about the most deliveries in all; every webhook may get one
-- $8 bigint       the most bytes of bodies in all; one delivery may have more
WITH RECURSIVE waiting AS (
    -- The webhooks with a backlog. This hops from webhook to webhook over the index
    -- `deliveries_backlog`, so a million rows of one webhook cost no more than one.
    (SELECT webhook_id FROM deliveries_pending WHERE backlog IS NOT NULL
     ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT delivery.webhook_id FROM deliveries_pending AS delivery
            WHERE backlog IS NOT NULL AND delivery.webhook_id > waiting.webhook_id
            ORDER BY delivery.webhook_id LIMIT 1)
    FROM waiting WHERE waiting.webhook_id IS NOT NULL
), room AS (
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[])
        AS room (webhook_id, first_attempts, retries, queued)
), parameters AS (
    SELECT $5::integer AS default_free, $6::timestamptz AS lease_until, $7::integer AS row_limit,
           $8::bigint AS max_bytes
), callable AS (
    -- The webhooks that may be called now: Active, circuit closed, not held. The pace of a webhook is the
    -- admin's limit, with a burst of a tenth of a second's requests, or the pace of its format.
    SELECT webhooks.id, version, coalesce(max_concurrency, pace_concurrency) AS max_concurrency,
           coalesce(CASE rate_period WHEN 'minute' THEN 60000000 ELSE 1000000 END / rate_limit,
                    pace_interval_us) AS interval_us,
           CASE WHEN rate_limit IS NULL THEN coalesce(pace_burst, 1)
                ELSE greatest(1, rate_limit / CASE rate_period WHEN 'minute' THEN 600 ELSE 10 END)
           END AS burst,
           coalesce(room.first_attempts, parameters.default_free) AS first_attempts,
           coalesce(room.retries, parameters.default_free) AS retries,
           coalesce(room.queued, 0) AS queued
    FROM parameters, webhooks
    LEFT JOIN room ON room.webhook_id = webhooks.id
    LEFT JOIN webhook_health ON webhook_health.webhook_id = webhooks.id
    WHERE webhooks.id = ANY(ARRAY(SELECT webhook_id FROM waiting))
      AND webhooks.status = 'active' AND webhook_health.paused_until IS NULL
      AND (webhook_health.held_until IS NULL OR webhook_health.held_until <= now())
), share AS (
    -- The limit, spread evenly over the webhooks with room.
    SELECT greatest(1, (SELECT row_limit FROM parameters) / greatest(1, count(*))) AS rows
    FROM callable WHERE first_attempts > 0 OR retries > 0
), bucket AS (
    -- The tokens of webhooks with a rate limit: one more for each interval that has passed, up to the burst.
    -- A bucket that another worker takes from now is left to that worker. A new bucket was refilled at
    -- -infinity: no more time counts than fills the bucket.
    SELECT rate_buckets.webhook_id,
           least(burst, tokens + greatest(0, extract(epoch FROM now() - greatest(refilled_at,
               now() - burst * interval_us * interval '1 microsecond'))) * 1000000 / interval_us) AS tokens
    FROM rate_buckets JOIN callable ON callable.id = rate_buckets.webhook_id
    WHERE interval_us IS NOT NULL
    FOR UPDATE OF rate_buckets SKIP LOCKED
), picked AS (
    -- The deliveries of each webhook, first attempts and retries in turn, so that a mountain of
    -- either does not starve the other.
    SELECT row.id, row.rank, row.webhook_id, version, max_concurrency,
           interval_us IS NOT NULL AS rate_limited,
           (SELECT octet_length(body) FROM events WHERE events.id = row.event_id) AS bytes
    FROM share, callable
    LEFT JOIN bucket ON bucket.webhook_id = callable.id
    CROSS JOIN LATERAL (
        SELECT id, event_id, webhook_id, rank FROM (
            SELECT id, event_id, webhook_id,
                   row_number() OVER (ORDER BY next_attempt_at) + random() AS rank
            FROM (SELECT id, event_id, webhook_id, next_attempt_at FROM deliveries_pending
                  WHERE webhook_id = callable.id AND backlog = 0
                  ORDER BY next_attempt_at
                  LIMIT least(callable.first_attempts, share.rows)
                  FOR UPDATE SKIP LOCKED) AS first_attempt
            UNION ALL
            SELECT id, event_id, webhook_id,
                   row_number() OVER (ORDER BY next_attempt_at) + random() AS rank
            FROM (SELECT id, event_id, webhook_id, next_attempt_at FROM deliveries_pending
                  WHERE webhook_id = callable.id AND backlog = 1
                  ORDER BY next_attempt_at
                  LIMIT least(callable.retries, share.rows)
                  FOR UPDATE SKIP LOCKED) AS retry
        ) AS both_kinds
        ORDER BY rank
        -- A webhook with a rate limit gets as many as its bucket has tokens.
        LIMIT CASE WHEN interval_us IS NOT NULL
              THEN greatest(0, least(floor(coalesce(bucket.tokens, 0)), burst - queued))::bigint
              END
    ) AS row
), fitting AS (
    -- As many of the picked deliveries as the bytes allow.
    SELECT * FROM (
        SELECT *, sum(bytes) OVER (ORDER BY rank, id) - bytes AS bytes_before FROM picked
    ) AS summed
    WHERE bytes_before < (SELECT max_bytes FROM parameters)
), spent_tokens AS (
    UPDATE rate_buckets
    SET tokens = bucket.tokens - taken.requests,
        -- A statement that began earlier may come later; no span is counted twice.
        refilled_at = greatest(refilled_at, now())
    FROM bucket
    JOIN (SELECT webhook_id, count(*) AS requests FROM fitting GROUP BY webhook_id) AS taken
        USING (webhook_id)
    WHERE rate_buckets.webhook_id = bucket.webhook_id
), claimed AS (
    -- The lease.
    UPDATE deliveries_pending AS delivery
    SET next_attempt_at = (SELECT lease_until FROM parameters), backlog = NULL
    WHERE delivery.id = ANY(ARRAY(SELECT id FROM fitting))
    RETURNING delivery.id, event_id, webhook_id, attempts, schedule_from, ordering_key,
        coalesce(schedule_since, created_at) AS schedule_since, throttled
)
-- Oldest first. Only the first delivery of an event brings the body, which the others share.
SELECT claimed.id, claimed.webhook_id, fitting.version, fitting.max_concurrency,
       claimed.attempts, claimed.schedule_from, claimed.ordering_key, fitting.rate_limited,
       claimed.schedule_since, claimed.throttled,
       events.id, events.event_type, events.environment, occurred_at, test_webhook_id,
       traceparent,
       CASE WHEN row_number() OVER (PARTITION BY events.id ORDER BY fitting.rank, fitting.id) = 1
            THEN body END
FROM claimed JOIN fitting ON fitting.id = claimed.id JOIN events ON events.id = claimed.event_id
WHERE events.id = ANY(ARRAY(SELECT event_id FROM claimed))
ORDER BY fitting.rank, fitting.id
