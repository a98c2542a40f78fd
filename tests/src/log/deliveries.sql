-- {owed} deliveries of each event that is owed at all: 97 % succeed, 2 % fail, the others are cancelled
-- or pending.
INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, attempts,
    last_answer, next_attempt_at, created_at, ended_at)
SELECT pg_temp.id_at(at, n), event_id, webhook_id, event_type, environment,
       status::delivery_status,
       (answer > 0)::integer, answer,
       CASE WHEN status = 'pending' THEN now() + interval '1 day' END, at,
       CASE WHEN status <> 'pending' THEN at + interval '1 s' END
FROM (SELECT {owed} * n::bigint + nth AS n, at, id AS event_id, event_type, environment,
          md5('webhook ' || (3 * ((n + 67 * nth) % 333) + n % 3))::uuid AS webhook_id
      FROM happened, generate_series(0, {owed} - 1) AS nth WHERE matched) AS owed
JOIN (VALUES (0, 969, 'succeeded', '{200, 201, 204}'::integer[]),
             (970, 989, 'failed', '{1, 2, 3, 4, 5, 6, 404, 500, 503, 504}'),
             (990, 994, 'cancelled', '{0}'),
             (995, 999, 'pending', '{0, 4, 500}')) AS ends (first, last, status, answers)
  ON 7919 * n % 1000 BETWEEN first AND last
CROSS JOIN LATERAL (SELECT answers[1 + n / 11 % cardinality(answers)]) AS got (answer);
