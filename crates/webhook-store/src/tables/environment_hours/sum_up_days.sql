-- Replaces the counts of ended days by a row per day, environment and event type. Counts that a dispatcher
-- records later become rows of their own, and join the day's row next time.
--
-- $1 timestamptz  the start of the first day that stays in hours
WITH hours AS (
    DELETE FROM environment_hours
    WHERE hour < $1
      AND (hour <> date_trunc('day', hour, 'UTC') OR worker_id <> '00000000-0000-0000-0000-000000000000')
    RETURNING environment, hour, event_type, attempts, failed_attempts, succeeded, failed
)
INSERT INTO environment_hours AS day
    (environment, hour, event_type, worker_id, attempts, failed_attempts, succeeded, failed)
SELECT environment, date_trunc('day', hour, 'UTC'), event_type, '00000000-0000-0000-0000-000000000000',
       sum(attempts), sum(failed_attempts), sum(succeeded), sum(failed)
FROM hours GROUP BY 1, 2, 3
ON CONFLICT (environment, hour, event_type, worker_id) DO UPDATE SET
    attempts = day.attempts + excluded.attempts,
    failed_attempts = day.failed_attempts + excluded.failed_attempts,
    succeeded = day.succeeded + excluded.succeeded,
    failed = day.failed + excluded.failed
