ALTER TABLE deliveries DROP COLUMN throttled, DROP COLUMN schedule_since;
DROP INDEX webhook_health_held;
ALTER TABLE webhook_health DROP COLUMN held_until;
DELETE FROM webhook_health WHERE failures = 0;
