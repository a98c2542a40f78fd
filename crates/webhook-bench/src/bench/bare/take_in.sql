-- A batch of events with their deliveries. $1 to $5: columns of events; $6 to $8: columns of deliveries.
WITH taken AS (
    INSERT INTO bare.events (id, event_type, environment, occurred_at, body)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[])
    ON CONFLICT DO NOTHING)
INSERT INTO bare.deliveries (id, event_id, webhook, next_attempt_at)
SELECT id, event_id, webhook, now() + interval '1 minute'
FROM unnest($6::uuid[], $7::uuid[], $8::integer[]) AS owed (id, event_id, webhook)
