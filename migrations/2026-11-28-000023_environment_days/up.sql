-- Ended days of an environment's statistics become rows of a whole day. The columns stay as they are: the release before
-- sums them up, and the sum of a wider column would have another type.
COMMENT ON TABLE environment_hours IS
    'Counts per hour, environment and event type, of ended days per day. A row per worker, so that no worker waits for another.';
COMMENT ON COLUMN environment_hours.hour IS 'Start of the hour, or of the day in UTC';
COMMENT ON COLUMN environment_hours.worker_id IS
    'Dispatcher process; nil: a whole day of all workers, and counts of before the table existed';
COMMENT ON INDEX environment_hours_pkey IS
    'The hours of an environment in a span of time; record.sql updates them; sum_up_days.sql; retention';
