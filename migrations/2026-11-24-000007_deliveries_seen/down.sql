DROP TABLE total_hours;
DROP INDEX webhook_hours_by_hour;
ALTER TABLE webhook_hours DROP COLUMN failures, DROP COLUMN durations;
DROP AGGREGATE sum_counts(integer[]);
DROP FUNCTION add_counts(integer[], integer[]);
DROP TABLE jobs;
DROP TABLE resends;
ALTER TABLE attempts
    DROP COLUMN dns_ms,
    DROP COLUMN connect_ms,
    DROP COLUMN first_byte_ms,
    ADD COLUMN response_headers text NOT NULL DEFAULT '[]',
    ADD COLUMN response_body bytea NOT NULL DEFAULT '',
    ADD COLUMN response_body_truncated boolean NOT NULL DEFAULT false;
UPDATE attempts SET
    response_headers = exchanges.response_headers,
    response_body = exchanges.response_body,
    response_body_truncated = exchanges.response_body_truncated
FROM exchanges
WHERE (exchanges.started_at, exchanges.delivery_id, exchanges.number)
    = (attempts.started_at, attempts.delivery_id, attempts.number);
ALTER TABLE attempts
    ALTER COLUMN response_headers DROP DEFAULT,
    ALTER COLUMN response_body DROP DEFAULT,
    ALTER COLUMN response_body_truncated DROP DEFAULT;
DROP TABLE exchanges;
DROP INDEX deliveries_by_group;
DROP INDEX deliveries_by_webhook;
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, id);
ALTER TABLE deliveries
    DROP COLUMN event_type,
    DROP COLUMN environment,
    DROP COLUMN test,
    DROP COLUMN last_answer,
    DROP COLUMN schedule_from;
DROP TYPE event_type;
DROP TYPE environment;
