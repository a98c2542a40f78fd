ALTER TABLE webhook_health DROP COLUMN forbidden;
ALTER TABLE webhooks
    DROP COLUMN format,
    DROP COLUMN rate_period,
    DROP COLUMN pace_interval_us,
    DROP COLUMN pace_burst,
    DROP COLUMN pace_concurrency;
COMMENT ON COLUMN webhooks.rate_limit IS
    'Most requests per second, from all dispatchers together; null: no limit';
COMMENT ON COLUMN webhooks.max_concurrency IS 'Most requests at once per dispatcher; null: the dispatchers default';
COMMENT ON COLUMN webhooks.health_since IS
    'Since when attempts count for the health: the latest activation or change of the URL; null: since creation';
COMMENT ON TABLE rate_buckets IS 'Token buckets of webhooks with a rate limit. A full bucket holds the tokens of a tenth of a second.';
COMMENT ON TABLE exchanges IS 'Transcripts: requests and responses of attempts that were recorded together. The body of a request is the events.';
