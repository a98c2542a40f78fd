-- Lists the next counts of webhooks that may be old, in the order of webhooks, then of time.
--
-- $1 timestamptz  with $2: the row behind which to go on: its time
-- $2 uuid         its id
-- $3 timestamptz  the time before which a row is old
-- $4 uuid         the least id of that time
-- $5 bigint       the most rows
SELECT old.hour AS at, webhooks.id FROM webhooks CROSS JOIN LATERAL (
    SELECT hour FROM webhook_hours
    WHERE webhook_id = webhooks.id AND hour < $3
      AND hour > CASE webhooks.id WHEN $2 THEN $1 ELSE to_timestamp(0) END
    ORDER BY hour LIMIT $5
) AS old
WHERE webhooks.id >= $2 ORDER BY webhooks.id, old.hour LIMIT $5
