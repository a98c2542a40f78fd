DROP TABLE idempotency_keys, audit_entries, sessions, webhook_hours, webhook_activity, previous_secrets;
-- A version that does not know of these would take them for valid.
DELETE FROM api_keys WHERE revoked_at IS NOT NULL OR expires_at IS NOT NULL;
ALTER TABLE api_keys DROP COLUMN expires_at, DROP COLUMN revoked_at, DROP COLUMN last_used_at;
ALTER TABLE events DROP COLUMN test_webhook_id;
DELETE FROM webhooks WHERE deleted_at IS NOT NULL;
DROP INDEX IF EXISTS webhooks_search;
DROP INDEX webhooks_by_name, webhooks_by_pattern;
ALTER TABLE webhooks
    DROP COLUMN header_names, DROP COLUMN sealed_headers, DROP COLUMN metadata,
    DROP COLUMN timeout_ms, DROP COLUMN deleted_at, DROP COLUMN search_text;
