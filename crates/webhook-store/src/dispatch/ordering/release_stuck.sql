-- Finds ordering keys whose first pending delivery still waits for its turn, and makes the delivery due:
-- a worker died between the commit and the release. Hops from webhook to webhook and from key to key over
-- the index `deliveries_in_order`, so the cost grows with the keys that have pending deliveries.
--
-- backlog: 0 a first attempt, 1 a retry.
--
-- $1 bigint  the most deliveries
WITH RECURSIVE ordered AS (
    -- The webhooks with ordered deliveries.
    (SELECT webhook_id FROM deliveries_pending
     WHERE ordering_key IS NOT NULL ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT delivery.webhook_id FROM deliveries_pending AS delivery
            WHERE ordering_key IS NOT NULL
              AND delivery.webhook_id > ordered.webhook_id
            ORDER BY delivery.webhook_id LIMIT 1)
    FROM ordered WHERE ordered.webhook_id IS NOT NULL
), stuck AS (
    SELECT head.id FROM ordered
    JOIN webhooks ON webhooks.id = ordered.webhook_id AND webhooks.status = 'active'
    CROSS JOIN LATERAL (
        -- The first delivery of each key of this webhook.
        WITH RECURSIVE head AS (
            (SELECT id, ordering_key, next_attempt_at FROM deliveries_pending
             WHERE webhook_id = ordered.webhook_id AND ordering_key IS NOT NULL
             ORDER BY ordering_key, ordering_sequence LIMIT 1)
            UNION ALL
            SELECT row.* FROM head CROSS JOIN LATERAL (
                SELECT id, ordering_key, next_attempt_at FROM deliveries_pending
                WHERE webhook_id = ordered.webhook_id
                  AND ordering_key > head.ordering_key
                ORDER BY ordering_key, ordering_sequence LIMIT 1
            ) AS row
        )
        SELECT id FROM head WHERE next_attempt_at IS NULL
    ) AS head
    LIMIT $1
)
UPDATE deliveries_pending
SET next_attempt_at = now(), backlog = CASE WHEN attempts > 0 THEN 1 ELSE 0 END
WHERE id = ANY(ARRAY(SELECT id FROM stuck))
  -- Another worker may have released the delivery since the read above.
  AND next_attempt_at IS NULL
