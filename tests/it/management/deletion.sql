-- 6,000 pending deliveries of one webhook, in the backlog.
INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, next_attempt_at, backlog)
SELECT gen_random_uuid(), gen_random_uuid(), '{webhook}', 'license.created', 'production', now(), 0
FROM generate_series(1, 6000)
