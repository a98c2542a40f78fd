-- An attempt of each delivery that was attempted; exchanges are kept for a week.
INSERT INTO attempts (delivery_id, number, started_at, duration_ms, response_status,
    failure_class, exchange_id, exchange_place)
SELECT id, 1, created_at, 12, CASE WHEN last_answer >= 100 THEN last_answer END,
       CASE WHEN last_answer < 100 THEN 'timeout' WHEN last_answer >= 300 THEN 'status' END,
       CASE WHEN created_at > now() - interval '7 days'
            THEN pg_temp.id_at(date_trunc('minute', created_at), 0) END, 0
FROM deliveries WHERE attempts = 1;
INSERT INTO exchanges (id, recorded_at, said)
SELECT pg_temp.id_at(minute, 0), minute,
    '[{"url":"https://r.example.com/in","sent":[],"got":[],"body":"ok","truncated":false}]'
FROM (SELECT DISTINCT date_trunc('minute', started_at) AS minute FROM attempts
      WHERE exchange_id IS NOT NULL) AS minutes
