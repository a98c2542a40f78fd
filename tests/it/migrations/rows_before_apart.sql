-- 1,000 deliveries of each status as the tables were before migration 12. Of the first attempt of each
-- the response body is cut, and no body is valid UTF-8.
INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, attempts,
    last_answer, next_attempt_at, backlog, ordering_sequence)
SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'license.created', 'staging',
       (ARRAY['pending', 'succeeded', 'failed', 'cancelled'])[1 + n % 4], 1, 200,
       CASE WHEN n % 4 = 0 THEN now() END, CASE WHEN n % 8 = 0 THEN 1 END, n
FROM generate_series(1, 4000) AS n;
INSERT INTO attempts (delivery_id, number, started_at, duration_ms)
SELECT id, 1, now() - ordering_sequence * interval '1 minute', 3 FROM deliveries;
INSERT INTO exchanges (delivery_id, number, started_at, request_url, request_headers,
    response_headers, response_body, response_body_truncated)
SELECT delivery_id, number, started_at, 'https://example.com/' || duration_ms,
       '[["a","b"],["secret",null]]', '[["date","today"]]',
       convert_to('ä' || delivery_id, 'UTF8') || '\xff00'::bytea, number = 1
FROM attempts;
CREATE TABLE deliveries_before AS SELECT * FROM deliveries;
CREATE TABLE exchanges_before AS SELECT * FROM exchanges
