DROP TRIGGER remember_changed_webhook ON webhooks;
DROP TRIGGER remember_new_webhook ON webhooks;
DROP FUNCTION remember_webhook;
DROP TABLE webhook_history;
DROP INDEX events_listed;
ALTER TABLE events DROP COLUMN matched;
