COMMENT ON TABLE environment_hours IS
    'Counts per hour, environment and event type. A row per worker, so that no worker waits for another.';
COMMENT ON COLUMN environment_hours.hour IS 'Start of the hour';
COMMENT ON COLUMN environment_hours.worker_id IS 'Dispatcher process; nil: counts of before the table existed';
COMMENT ON INDEX environment_hours_pkey IS
    'The hours of an environment in a span of time; record.sql updates them; retention';
