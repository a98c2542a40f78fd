-- Since when attempts count for a webhook's health. Null, as for all webhooks of today: since creation.
ALTER TABLE webhooks ADD COLUMN health_since timestamptz;
COMMENT ON COLUMN webhooks.health_since IS
    'Since when attempts count for the health: the latest activation or change of the URL; null: since creation';

-- What a webhook did in the last 24 hours, summed up every few seconds: lists are sorted by it. The sums
-- of 10,000 webhooks out of their 240,000 hours would take 100 ms for each list.
ALTER TABLE webhook_activity ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
COMMENT ON TABLE webhook_activity IS 'Latest attempt of each webhook, attempts of test events left out.';
COMMENT ON COLUMN webhook_activity.recorded_at IS
    'Time at which an attempt was recorded last: webhook_days of before are out of date';
CREATE TABLE webhook_days (
    webhook_id uuid PRIMARY KEY,
    since timestamptz NOT NULL,
    attempts bigint NOT NULL,
    failed_attempts bigint NOT NULL,
    failure_rate double precision NOT NULL,
    p95_ms integer,
    summed_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE webhook_days IS
    'Sums of webhook_hours over the last 24 hours, up to a few seconds old. A webhook without attempts has no row.';
COMMENT ON COLUMN webhook_days.webhook_id IS 'Webhook';
COMMENT ON COLUMN webhook_days.since IS 'Start of the first of the 24 hours';
COMMENT ON COLUMN webhook_days.attempts IS 'Attempts';
COMMENT ON COLUMN webhook_days.failed_attempts IS 'Failed attempts';
COMMENT ON COLUMN webhook_days.failure_rate IS 'Share of failed attempts, 0 to 1';
COMMENT ON COLUMN webhook_days.p95_ms IS 'Time within which 95 % of the attempts ended, in milliseconds';
COMMENT ON COLUMN webhook_days.summed_at IS 'Time at which the sums were read';
COMMENT ON INDEX webhook_days_pkey IS 'The sums of a webhook; write.sql of webhook_days updates them; lists join them';

-- Counts per environment and event type, for the overview of all webhooks.
CREATE TABLE environment_hours (
    environment environment NOT NULL,
    hour timestamptz NOT NULL,
    event_type event_type NOT NULL,
    worker_id uuid NOT NULL,
    attempts integer NOT NULL,
    failed_attempts integer NOT NULL,
    succeeded integer NOT NULL,
    failed integer NOT NULL,
    PRIMARY KEY (environment, hour, event_type, worker_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE environment_hours IS
    'Counts per hour, environment and event type. A row per worker, so that no worker waits for another.';
COMMENT ON COLUMN environment_hours.environment IS 'Environment';
COMMENT ON COLUMN environment_hours.hour IS 'Start of the hour';
COMMENT ON COLUMN environment_hours.event_type IS 'Event type';
COMMENT ON COLUMN environment_hours.worker_id IS 'Dispatcher process; nil: counts of before the table existed';
COMMENT ON COLUMN environment_hours.attempts IS 'Attempts';
COMMENT ON COLUMN environment_hours.failed_attempts IS 'Failed attempts';
COMMENT ON COLUMN environment_hours.succeeded IS 'Deliveries that succeeded';
COMMENT ON COLUMN environment_hours.failed IS 'Deliveries that failed, all retries used';
COMMENT ON INDEX environment_hours_pkey IS
    'The hours of an environment in a span of time; record.sql updates them; retention';
-- The last 31 days, out of the deliveries that have ended: some seconds for five million.
INSERT INTO environment_hours
SELECT environment, date_trunc('hour', ended_at), event_type, '00000000-0000-0000-0000-000000000000',
       sum(attempts), sum(attempts) - count(*) FILTER (WHERE status = 'succeeded'),
       count(*) FILTER (WHERE status = 'succeeded'), count(*) FILTER (WHERE status = 'failed')
FROM deliveries_ended
WHERE NOT test AND status <> 'cancelled' AND ended_at > now() - interval '31 days'
GROUP BY 1, 2, 3;

-- Signs of life, for the banner of the pages and the diagnosis.
CREATE TABLE dispatchers (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    not_recording_since timestamptz
);
COMMENT ON TABLE dispatchers IS
    'Signs of life of dispatchers, written every 5 s. A row without a sign for an hour is removed by another dispatcher.';
COMMENT ON COLUMN dispatchers.id IS 'Dispatcher process, the same id as in total_hours';
COMMENT ON COLUMN dispatchers.started_at IS 'Time of the first sign of life';
COMMENT ON COLUMN dispatchers.seen_at IS 'Time of the latest sign of life';
COMMENT ON COLUMN dispatchers.not_recording_since IS
    'Since when results of attempts wait or are lost instead of being recorded; null: results are recorded';
COMMENT ON INDEX dispatchers_pkey IS 'The row of a dispatcher, which updates it';
