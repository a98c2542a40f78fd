-- 1,000 webhooks that are older than every event.
INSERT INTO webhooks (id, name, url, environment, status, event_types, sealed_secret)
SELECT md5('webhook ' || n)::uuid, 'Receiver ' || n, 'https://r' || n || '.example.com/in',
       (ARRAY['production', 'staging', 'development'])[1 + n % 3], 'active', ARRAY['*'], ''
FROM generate_series(0, 999) AS n;
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE webhook_history SET valid_until = now() - interval '40 days' WHERE version = 0;
UPDATE webhook_history SET valid_from = now() - interval '40 days' WHERE version > 0;
