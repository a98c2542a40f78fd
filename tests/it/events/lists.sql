-- 600 events, of all types and environments. Ten arrive at each second, half of one type.
INSERT INTO events (id, event_type, environment, occurred_at, received_at, body, matched)
SELECT gen_random_uuid(),
       CASE WHEN n % 2 = 0 THEN 'license.created' ELSE types[1 + n % 21] END,
       (ARRAY['production', 'staging', 'development'])[1 + n / 7 % 3], now(),
       now() - n / 10 * interval '1 s', '{}', n % 5 < 2
FROM generate_series(1, 600) AS n
