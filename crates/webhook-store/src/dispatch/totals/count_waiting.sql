-- Counts pending and due deliveries of all webhooks, for the metrics of the dispatcher that counts.
--
-- due_*: deliveries in the backlog, by what holds their webhook back. Deliveries whose time has come, and which
-- no dispatcher has promoted to the backlog within a second, count as held by nothing.
--
-- $1 bigint  the most deliveries that are counted: pending ones in all, due ones of each webhook
-- $2 uuid[]  webhooks whose receivers ask for less, as the lanes of the counting dispatcher show
WITH RECURSIVE waiting AS (
    -- The webhooks with a backlog, by hops over the index `deliveries_backlog`.
    (SELECT webhook_id FROM deliveries_pending WHERE backlog IS NOT NULL
     ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT delivery.webhook_id FROM deliveries_pending AS delivery
            WHERE backlog IS NOT NULL AND delivery.webhook_id > waiting.webhook_id
            ORDER BY delivery.webhook_id LIMIT 1)
    FROM waiting WHERE waiting.webhook_id IS NOT NULL
), counted AS (
    SELECT CASE
               WHEN webhooks.status <> 'active' THEN 'inactive'
               WHEN webhook_health.paused_until IS NOT NULL THEN 'circuit'
               WHEN webhook_health.held_until > now() THEN 'hold'
               WHEN rate_limit IS NOT NULL OR pace_interval_us IS NOT NULL THEN 'rate_limit'
               WHEN waiting.webhook_id = ANY($2) THEN 'receiver'
               ELSE 'nothing'
           END AS held_by,
           (SELECT count(*) FROM (SELECT FROM deliveries_pending AS delivery
                                  WHERE delivery.webhook_id = waiting.webhook_id
                                    AND backlog IS NOT NULL LIMIT $1) AS row) AS deliveries,
           least((SELECT min(next_attempt_at) FROM deliveries_pending AS delivery
                  WHERE delivery.webhook_id = waiting.webhook_id AND backlog = 0),
                 (SELECT min(next_attempt_at) FROM deliveries_pending AS delivery
                  WHERE delivery.webhook_id = waiting.webhook_id AND backlog = 1)) AS oldest
    FROM waiting
    JOIN webhooks ON webhooks.id = waiting.webhook_id
    LEFT JOIN webhook_health ON webhook_health.webhook_id = waiting.webhook_id
), not_promoted AS (
    SELECT 'nothing' AS held_by, count(*) AS deliveries, min(next_attempt_at) AS oldest
    FROM (SELECT next_attempt_at FROM deliveries_pending
          WHERE backlog IS NULL AND next_attempt_at < now() - interval '1 second'
          ORDER BY next_attempt_at LIMIT $1) AS row
), due AS (
    SELECT * FROM counted UNION ALL SELECT * FROM not_promoted
)
SELECT (SELECT count(*) FROM (SELECT FROM deliveries_pending LIMIT $1) AS row),
       coalesce(sum(deliveries) FILTER (WHERE held_by = 'nothing'), 0)::bigint,
       coalesce(sum(deliveries) FILTER (WHERE held_by = 'receiver'), 0)::bigint,
       coalesce(sum(deliveries) FILTER (WHERE held_by = 'rate_limit'), 0)::bigint,
       coalesce(sum(deliveries) FILTER (WHERE held_by = 'hold'), 0)::bigint,
       coalesce(sum(deliveries) FILTER (WHERE held_by = 'circuit'), 0)::bigint,
       coalesce(sum(deliveries) FILTER (WHERE held_by = 'inactive'), 0)::bigint,
       coalesce(extract(epoch FROM now() - min(oldest) FILTER (WHERE held_by = 'nothing')), 0)::float8
FROM due
