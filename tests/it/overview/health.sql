-- A webhook of each health: its name begins with the health. Ids are made of numbers.
CREATE FUNCTION pg_temp.webhook(number integer, name text, status text, reason text, since timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO webhooks (id, name, url, environment, status, disabled_reason, health_since, event_types, sealed_secret)
    VALUES (lpad(number::text, 32, '0')::uuid, name, 'https://example.com/', 'production', status, reason, since,
            ARRAY['*'], '')
$$;
CREATE FUNCTION pg_temp.attempted(number integer, at timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO webhook_activity (webhook_id, delivery_id, delivery_status, attempted_at, response_status)
    VALUES (lpad(number::text, 32, '0')::uuid, gen_random_uuid(), 'succeeded', at, 200)
$$;
CREATE FUNCTION pg_temp.health(number integer, failures integer, paused timestamptz, held timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO webhook_health (webhook_id, failing_since, failures, paused_at, paused_until, held_until)
    VALUES (lpad(number::text, 32, '0')::uuid, now(), failures, paused, paused, held)
$$;
SELECT pg_temp.webhook(1, 'healthy', 'active', NULL, NULL), pg_temp.attempted(1, now());
SELECT pg_temp.webhook(2, 'healthy after a hold', 'active', NULL, NULL), pg_temp.attempted(2, now()),
       pg_temp.health(2, 0, NULL, now() - interval '1 h');
SELECT pg_temp.webhook(3, 'healthy since its activation', 'active', NULL, now() - interval '1 h'),
       pg_temp.attempted(3, now());
SELECT pg_temp.webhook(4, 'unknown', 'active', NULL, NULL);
SELECT pg_temp.webhook(5, 'unknown since its activation', 'active', NULL, now()),
       pg_temp.attempted(5, now() - interval '1 h');
SELECT pg_temp.webhook(6, 'held', 'active', NULL, NULL), pg_temp.attempted(6, now()),
       pg_temp.health(6, 0, NULL, now() + interval '1 h');
SELECT pg_temp.webhook(7, 'failing', 'active', NULL, NULL), pg_temp.attempted(7, now()),
       pg_temp.health(7, 3, NULL, NULL);
SELECT pg_temp.webhook(8, 'failing while held', 'active', NULL, NULL), pg_temp.attempted(8, now()),
       pg_temp.health(8, 3, NULL, now() + interval '1 h');
SELECT pg_temp.webhook(9, 'paused', 'active', NULL, NULL), pg_temp.attempted(9, now()),
       pg_temp.health(9, 12, now() + interval '1 h', NULL);
SELECT pg_temp.webhook(10, 'stopped', 'inactive', 'the receiver answered 410 Gone', NULL);
SELECT pg_temp.webhook(11, 'stopped after days', 'inactive', 'only failures', NULL),
       pg_temp.health(11, 90, now(), NULL);
SELECT pg_temp.webhook(12, 'inactive', 'inactive', NULL, NULL);
SELECT pg_temp.webhook(13, 'inactive while failing', 'inactive', NULL, NULL), pg_temp.health(13, 3, NULL, NULL)
