-- Creates rows for webhooks that failed or are to be held, to be locked and written afterwards.
--
-- $1 uuid[]         the webhooks
-- $2 timestamptz[]  the time of each webhook's first failure
INSERT INTO webhook_health (webhook_id, failing_since, failures)
SELECT webhooks.id, failed.since, 0
FROM unnest($1::uuid[], $2::timestamptz[]) AS failed (webhook_id, since)
-- A deleted webhook still has its row in `webhooks`, as the foreign key asks.
JOIN webhooks ON webhooks.id = failed.webhook_id
-- In order, so that workers who create the same rows wait for each other and never deadlock.
ORDER BY webhooks.id
ON CONFLICT DO NOTHING
