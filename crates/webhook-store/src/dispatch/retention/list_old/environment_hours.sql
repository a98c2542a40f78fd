-- Lists the next counts of environments that may be old, in the order of time.
--
-- $1 timestamptz  with $2: the row behind which to go on: its time
-- $2 uuid         its worker
-- $3 timestamptz  the time before which a row is old
-- $4 uuid         the least id of that time
-- $5 bigint       the most rows
SELECT DISTINCT hour AS at, worker_id AS id FROM environment_hours
WHERE (hour, worker_id) > ($1, $2) AND hour < $3
ORDER BY hour, worker_id LIMIT $5
