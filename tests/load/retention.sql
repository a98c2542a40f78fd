-- {old} deliveries that ended 40 to 60 days ago, each with its event, its attempt and its exchange.
-- {pending} of them are pending for a webhook that is Inactive.
CREATE TEMP TABLE old AS
SELECT n, at, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
    || '70008' || lpad(to_hex(n), 15, '0'))::uuid AS id
FROM (SELECT n, now() - interval '60 days' + n * interval '20 days' / {old} AS at
      FROM generate_series(1, {old}) AS n) AS times;
INSERT INTO webhooks (id, name, url, environment, status, event_types, sealed_secret)
VALUES (gen_random_uuid(), 'Old', 'https://old.example.com/', 'staging', 'inactive', ARRAY['*'], '');
INSERT INTO events (id, event_type, environment, occurred_at, received_at, body)
SELECT id, 'license.created', 'staging', at, at, convert_to(repeat(md5(n::text), 10), 'UTF8') FROM old;
INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, attempts,
    last_answer, created_at, ended_at)
SELECT old.id, old.id, webhooks.id, 'license.created', 'staging', 'succeeded', 1, 200, at,
    at + interval '1 s'
FROM old, webhooks WHERE name = 'Old';
INSERT INTO attempts (delivery_id, number, started_at, duration_ms, response_status,
    exchange_id, exchange_place)
SELECT id, 1, at, 12, 200, id, 0 FROM old;
INSERT INTO exchanges (id, recorded_at, said)
SELECT id, at, '[{"url":"https://old.example.com/","sent":[],"got":[],"body":"ok","truncated":false}]'
FROM old;
UPDATE deliveries SET status = 'pending', ended_at = NULL
WHERE id IN (SELECT id FROM old WHERE n % ({old} / {pending}) = 0);
ANALYZE events; ANALYZE deliveries; ANALYZE attempts; ANALYZE exchanges
