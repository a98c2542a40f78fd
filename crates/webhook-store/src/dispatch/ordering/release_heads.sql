-- Makes the first pending delivery of each key due, if the delivery waits for its turn.
--
-- backlog: 0 a first attempt, 1 a retry.
--
-- $1 uuid[]  webhooks
-- $2 uuid[]  an ordering key of each
WITH wanted AS (
    SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS wanted (webhook_id, ordering_key)
), head AS (
    SELECT row.id FROM wanted
    CROSS JOIN LATERAL (
        SELECT id, next_attempt_at FROM deliveries_pending AS delivery
        WHERE delivery.webhook_id = wanted.webhook_id
          AND delivery.ordering_key = wanted.ordering_key
        ORDER BY ordering_sequence LIMIT 1
    ) AS row
    -- A delivery with a time was released before.
    WHERE row.next_attempt_at IS NULL
)
UPDATE deliveries_pending
SET next_attempt_at = now(), backlog = CASE WHEN attempts > 0 THEN 1 ELSE 0 END
WHERE id = ANY(ARRAY(SELECT id FROM head))
  -- Another worker may have released the delivery since the read above.
  AND next_attempt_at IS NULL
