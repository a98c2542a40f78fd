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
