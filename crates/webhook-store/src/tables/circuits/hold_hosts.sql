-- Holds all webhooks at some hosts until a time. A longer hold stays.
--
-- $1 text[]       the hosts, in lower case
-- $2 timestamptz  the end of the hold
INSERT INTO webhook_health (webhook_id, failing_since, failures, held_until)
-- A webhook without failures has any time as failing_since.
SELECT webhooks.id, $2, 0, $2
FROM webhooks
-- The shown form of a sealed URL has the host too. The host may end with the dot of the DNS root.
WHERE rtrim(split_part(split_part(webhooks.url, '/', 3), ':', 1), '.') = ANY ($1)
  AND webhooks.deleted_at IS NULL
-- In order, so that workers who hold the same webhooks wait for each other and never deadlock.
ORDER BY webhooks.id
ON CONFLICT (webhook_id) DO UPDATE SET held_until = EXCLUDED.held_until
    WHERE webhook_health.held_until IS NULL OR webhook_health.held_until < EXCLUDED.held_until
RETURNING webhook_id, held_until
