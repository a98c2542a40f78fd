DROP TABLE dispatchers;
DROP TABLE environment_hours;
DROP TABLE webhook_days;
ALTER TABLE webhook_activity DROP COLUMN recorded_at;
ALTER TABLE webhooks DROP COLUMN health_since;
COMMENT ON TABLE webhook_activity IS 'Latest attempt of each webhook.';
