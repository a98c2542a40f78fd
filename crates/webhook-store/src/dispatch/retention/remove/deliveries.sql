-- Removes deliveries that ended before $3, with their attempts and retries. Returns their number.
--
-- $1 timestamptz[]  the times of the rows
-- $2 uuid[]         their ids
-- $3 timestamptz    the time before which a row is old
-- A delivery that is retried now is pending by the time this statement gets to it, and stays.
WITH gone AS (
    DELETE FROM deliveries_ended
    WHERE id = ANY($2) AND ended_at < $3 RETURNING id
), attempts AS (
    DELETE FROM attempts WHERE delivery_id = ANY(ARRAY(SELECT id FROM gone))
), resends AS (
    DELETE FROM resends WHERE delivery_id = ANY(ARRAY(SELECT id FROM gone))
)
SELECT count(*) FROM gone
