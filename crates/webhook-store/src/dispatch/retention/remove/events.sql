-- Removes events without a pending delivery. Returns their number.
--
-- $1 timestamptz[]  the times of the rows
-- $2 uuid[]         their ids
-- $3 timestamptz    the time before which a row is old
WITH gone AS (
    DELETE FROM events WHERE id = ANY($2) AND id <> ALL(ARRAY(
        SELECT event_id FROM deliveries_pending WHERE event_id = ANY($2)
    )) RETURNING id
)
SELECT count(*) FROM gone
