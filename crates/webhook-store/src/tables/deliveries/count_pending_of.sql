-- Counts the pending deliveries of webhooks, each up to a limit.
--
-- $1 uuid[]  the webhooks
-- $2 bigint  the limit
SELECT webhook_id,
    (SELECT count(*) FROM (
        SELECT FROM deliveries_pending WHERE deliveries_pending.webhook_id = asked.webhook_id LIMIT $2
    ) AS counted)
FROM unnest($1) AS asked(webhook_id)
