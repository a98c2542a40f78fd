-- Moves the log {days} days into the past. The first 48 bits of every id but an event's are the
-- milliseconds since 1970.
CREATE FUNCTION pg_temp.aged(id uuid) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex(('x' || left(hex, 12))::bit(48)::bigint - {days} * 86400000::bigint), 12, '0')
        || substr(hex, 13))::uuid FROM replace(id::text, '-', '') AS hex
$$;
UPDATE attempts SET delivery_id = pg_temp.aged(delivery_id), started_at = started_at - interval '{days} days',
    exchange_id = pg_temp.aged(exchange_id);
UPDATE deliveries SET id = pg_temp.aged(id), created_at = created_at - interval '{days} days',
    ended_at = ended_at - interval '{days} days';
UPDATE events SET received_at = received_at - interval '{days} days';
UPDATE audit_entries SET id = pg_temp.aged(id), at = at - interval '{days} days';
UPDATE exchanges SET id = pg_temp.aged(id), recorded_at = recorded_at - interval '{days} days';
UPDATE resends SET delivery_id = pg_temp.aged(delivery_id);
UPDATE webhook_hours SET hour = hour - interval '{days} days';
UPDATE total_hours SET hour = hour - interval '{days} days';
UPDATE environment_hours SET hour = hour - interval '{days} days';
-- Dispatchers sum up anew.
DELETE FROM webhook_days
