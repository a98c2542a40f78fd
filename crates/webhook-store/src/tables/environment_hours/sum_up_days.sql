-- Replaces the counts of ended days by a row per day, environment and event type. Counts that a dispatcher
-- records later become rows of their own, and join the day's row next time.
--
-- $1 timestamptz  the start of the first day that stays in hours
WITH days AS (
    -- A day with more attempts than 32 bits hold stays in hours.
    SELECT environment, event_type, date_trunc('day', hour, 'UTC') AS day
    FROM environment_hours
    WHERE hour < $1
    GROUP BY environment, event_type, day
    HAVING sum(attempts) <= 2147483647
       AND bool_or(worker_id <> '00000000-0000-0000-0000-000000000000' OR hour <> date_trunc('day', hour, 'UTC'))
), hours AS (
    DELETE FROM environment_hours AS one USING days
    WHERE one.environment = days.environment AND one.event_type = days.event_type
      AND one.hour >= days.day AND one.hour < days.day + interval '24 hours'
    RETURNING one.environment, one.event_type, days.day,
              one.attempts, one.failed_attempts, one.succeeded, one.failed
)
INSERT INTO environment_hours AS known
    (environment, hour, event_type, worker_id, attempts, failed_attempts, succeeded, failed)
SELECT environment, day, event_type, '00000000-0000-0000-0000-000000000000',
       sum(attempts), sum(failed_attempts), sum(succeeded), sum(failed)
FROM hours GROUP BY environment, day, event_type
-- Another dispatcher may have written the row of the day meanwhile.
ON CONFLICT (environment, hour, event_type, worker_id) DO UPDATE SET
    attempts = known.attempts + excluded.attempts,
    failed_attempts = known.failed_attempts + excluded.failed_attempts,
    succeeded = known.succeeded + excluded.succeeded,
    failed = known.failed + excluded.failed
