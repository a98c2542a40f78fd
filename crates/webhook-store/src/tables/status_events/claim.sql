-- Leases messages of the outbox that are due.
--
-- $1 timestamptz  the end of the lease
-- $2 bigint       the most messages
UPDATE status_events SET publish_at = $1
WHERE id = ANY(ARRAY(
    SELECT id FROM status_events WHERE publish_at <= now()
    ORDER BY publish_at LIMIT $2
    -- A message that another worker is leasing at this moment is its.
    FOR UPDATE SKIP LOCKED
))
RETURNING id, routing_key, body
