-- A batch of results. $1: delivery ids; $2: starts; $3: durations in ms; $4: response statuses.
WITH result AS (
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::integer[])
        AS result (delivery_id, started_at, duration_ms, status)
), kept AS (
    INSERT INTO bare.attempts (delivery_id, number, started_at, duration_ms, response_status)
    SELECT delivery_id, 1, started_at, duration_ms, status FROM result)
UPDATE bare.deliveries SET
    status = 'succeeded', attempts = 1, next_attempt_at = NULL, ended_at = now()
FROM result
WHERE deliveries.id = ANY($1) AND deliveries.id = result.delivery_id
