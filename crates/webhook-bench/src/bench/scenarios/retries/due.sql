-- The rows after an outage: each of {due} deliveries of type {type} has failed once.
CREATE TEMP TABLE due AS SELECT n, pg_temp.id_at(n) AS id FROM generate_series(1, {due}) AS n;
INSERT INTO events (id, event_type, environment, occurred_at, body, matched)
SELECT id, '{type}', 'production', now(), convert_to(rpad(
    '{"id":"' || id || '","type":"{type}","environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{"padding":"',
    497, 'x') || '"}}', 'UTF8'), true
FROM due;
INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, attempts,
    last_answer, next_attempt_at)
SELECT due.id, due.id, webhooks.id, '{type}', 'production', 'pending', 1, 500,
    now() - interval '1 s'
FROM due, webhooks;
INSERT INTO attempts (delivery_id, number, started_at, duration_ms, response_status, failure_class)
SELECT id, 1, now() - interval '10 s', 1, 500, 'status' FROM due;
ANALYZE events; ANALYZE deliveries; ANALYZE attempts
