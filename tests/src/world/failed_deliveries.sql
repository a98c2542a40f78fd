-- The ids of {count} deliveries that were made a minute ago, and of their events.
CREATE TEMP TABLE made AS
SELECT n, (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 60000), 12, '0')
    || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id
FROM generate_series(1, {count}) AS n;
INSERT INTO events (id, event_type, environment, occurred_at, body, matched)
SELECT id, 'license.created', 'production', now(), convert_to('{"n":' || n || '}', 'UTF8'), true FROM made;
INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, attempts, last_answer, ended_at)
SELECT id, id, '{webhook}', 'license.created', 'production', 'failed', 1, 500, now() FROM made
