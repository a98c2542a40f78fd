DROP TABLE status_events;
DROP INDEX deliveries_in_order, deliveries_backlog, deliveries_coming_due;
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_attempt_at) WHERE status = 'pending';
UPDATE deliveries SET next_attempt_at = now() WHERE status = 'pending' AND next_attempt_at IS NULL;
ALTER TABLE deliveries DROP COLUMN ordering_sequence, DROP COLUMN ordering_key, DROP COLUMN backlog;
DROP TABLE webhook_health;
DROP TABLE rate_buckets;
DROP TABLE retry_policies;
ALTER TABLE webhooks DROP COLUMN ordering_field, DROP COLUMN rate_limit, DROP COLUMN max_concurrency;
