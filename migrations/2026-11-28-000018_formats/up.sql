-- The format of a webhook's requests. The version before reads none of these columns, and its webhooks have the
-- format `json`. The pace columns hold the pace of the format alone: what the version before writes into
-- rate_limit and max_concurrency counts.
ALTER TABLE webhooks
    ADD COLUMN format text NOT NULL DEFAULT 'json',
    ADD COLUMN rate_period text NOT NULL DEFAULT 'second' CHECK (rate_period IN ('second', 'minute')),
    ADD COLUMN pace_interval_us bigint CHECK (pace_interval_us > 0),
    ADD COLUMN pace_burst integer CHECK (pace_burst > 0),
    ADD COLUMN pace_concurrency integer CHECK (pace_concurrency > 0);
COMMENT ON COLUMN webhooks.format IS 'Format of the requests: json, slack, discord, teams, cloudevents';
COMMENT ON COLUMN webhooks.rate_limit IS
    'Most requests per rate_period that an admin chose, from all dispatchers together; null: the limit of the format';
COMMENT ON COLUMN webhooks.rate_period IS 'Period of rate_limit: second or minute';
COMMENT ON COLUMN webhooks.max_concurrency IS
    'Most requests at once per dispatcher that an admin chose; null: the number of the format, or the dispatchers default';
COMMENT ON COLUMN webhooks.pace_interval_us IS
    'Time after which the format lets one more request go, in microseconds, where rate_limit is null; null: no limit';
COMMENT ON COLUMN webhooks.pace_burst IS
    'Most requests at once by the format, where rate_limit is null; null: no limit';
COMMENT ON COLUMN webhooks.pace_concurrency IS
    'Most requests at once per dispatcher by the format, where max_concurrency is null; null: the dispatchers default';

-- A receiver that forbids requests in a row is not asked for ever.
ALTER TABLE webhook_health ADD COLUMN forbidden integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN webhook_health.forbidden IS
    'Latest attempts in a row whose receiver forbade the request (401, 403 or action_prohibited of a chat service)';

-- What older comments said of events only.
COMMENT ON COLUMN webhooks.health_since IS
    'Since when attempts count for the health: the latest activation or change of the URL or the format; null: since creation';
COMMENT ON TABLE rate_buckets IS
    'Token buckets of webhooks with a rate limit. A full bucket holds one burst: the requests of a tenth of a second, or the burst of the format.';
COMMENT ON TABLE exchanges IS
    'Transcripts: requests and responses of attempts that were recorded together. The body of a request is the events, unless the transcript has a sent_body.';
