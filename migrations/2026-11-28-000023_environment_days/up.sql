-- Ended days of an environment's statistics become rows of a whole day, whose counts need 64 bits. The table is small,
-- at most 63 rows per dispatcher and hour, and written anew within a second.
-- squawk-ignore-file changing-column-type
ALTER TABLE environment_hours
    ALTER COLUMN attempts TYPE bigint,
    ALTER COLUMN failed_attempts TYPE bigint,
    ALTER COLUMN succeeded TYPE bigint,
    ALTER COLUMN failed TYPE bigint;
COMMENT ON TABLE environment_hours IS
    'Counts per hour, environment and event type, of ended days per day. A row per worker, so that no worker waits for another.';
COMMENT ON COLUMN environment_hours.hour IS 'Start of the hour, or of the day in UTC';
COMMENT ON COLUMN environment_hours.worker_id IS
    'Dispatcher process; nil: a whole day of all workers, and counts of before the table existed';
COMMENT ON INDEX environment_hours_pkey IS
    'The hours of an environment in a span of time; record.sql updates them; sum_up_days.sql; retention';
