-- 10,000 webhooks of every kind, with latest attempts and a day of counts.
INSERT INTO webhooks (id, name, url, environment, status, event_types, sealed_secret)
SELECT gen_random_uuid(), 'Webhook ' || md5(n::text), 'https://' || md5(n::text || 'x') || '.example.com/in',
       (ARRAY['production', 'staging', 'development'])[1 + n % 3],
       CASE WHEN n % 7 = 0 THEN 'inactive' ELSE 'active' END,
       CASE WHEN n % 5 = 0 THEN ARRAY['license.*', 'contract.created'] ELSE ARRAY['license.*'] END, ''
FROM generate_series(1, 10000) AS n;
INSERT INTO webhook_health (webhook_id, failing_since, failures)
SELECT id, now(), 3 FROM webhooks WHERE name < 'Webhook 1';
INSERT INTO webhook_activity
SELECT id, gen_random_uuid(), 'succeeded', now() - random() * interval '3 days', 200 FROM webhooks
WHERE name > 'Webhook 2';
INSERT INTO webhook_hours
SELECT id, date_trunc('hour', now()) - hours * interval '1 hour', 10, 1, 9, 0
FROM webhooks, generate_series(0, 23) AS hours;
INSERT INTO webhook_days (webhook_id, since, attempts, failed_attempts, failure_rate, p95_ms, summed_at)
SELECT webhook_id, date_trunc('hour', now()) - interval '23 hours', 240, 24, random(), random() * 1000,
       now() + interval '1 hour'
FROM webhook_activity;
INSERT INTO environment_hours
SELECT environment, date_trunc('hour', now()) - hours * interval '1 hour', event_type, worker, 10, 1, 9, 0
FROM unnest(enum_range(NULL::environment)) AS environment,
     unnest(enum_range(NULL::event_type)) AS event_type, generate_series(0, 719) AS hours,
     (SELECT gen_random_uuid() AS worker FROM generate_series(1, 2)) AS workers
