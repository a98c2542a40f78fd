-- The format of a webhook's requests. The version before reads none of these columns, and its webhooks have the
-- format `json`; the pace of a webhook that it wrote is null, and follows from rate_limit.
ALTER TABLE webhooks
    ADD COLUMN format text NOT NULL DEFAULT 'json',
    ADD COLUMN rate_period text NOT NULL DEFAULT 'second',
    ADD COLUMN pace_interval_us bigint,
    ADD COLUMN pace_burst integer,
    ADD COLUMN pace_concurrency integer;
COMMENT ON COLUMN webhooks.format IS 'Format of the requests: json, slack, discord, teams, cloudevents';
COMMENT ON COLUMN webhooks.rate_limit IS
    'Most requests per rate_period that an admin chose, from all dispatchers together; null: the limit of the format';
COMMENT ON COLUMN webhooks.rate_period IS 'Period of rate_limit: second or minute';
COMMENT ON COLUMN webhooks.max_concurrency IS
    'Most requests at once per dispatcher that an admin chose; null: the number of the format, or the dispatchers default';
COMMENT ON COLUMN webhooks.pace_interval_us IS
    'Time after which one more request may be sent, in microseconds, by rate_limit or by the format; null: no limit, or 1,000,000 / rate_limit';
COMMENT ON COLUMN webhooks.pace_burst IS
    'Most requests that may come at once; null: a tenth of rate_limit, at least 1';
COMMENT ON COLUMN webhooks.pace_concurrency IS
    'Most requests at once per dispatcher, by max_concurrency or by the format; null: max_concurrency, or the dispatchers default';

-- A receiver that forbids requests in a row is not asked for ever.
ALTER TABLE webhook_health ADD COLUMN forbidden integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN webhook_health.forbidden IS
    'Latest attempts in a row whose receiver forbade the request (401 or 403 of a chat service)';
