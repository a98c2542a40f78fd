-- Counts the pending deliveries of a webhook, up to a limit.
--
-- $1 uuid    the webhook
-- $2 bigint  the limit
SELECT count(*) FROM (SELECT FROM deliveries_pending WHERE webhook_id = $1 LIMIT $2) AS counted
