-- Removes transcripts that were recorded before $3. Returns their number.
--
-- $1 timestamptz[]  the times of the rows
-- $2 uuid[]         their ids
-- $3 timestamptz    the time before which a row is old
WITH gone AS (
    DELETE FROM exchanges WHERE id = ANY($2) AND recorded_at < $3 RETURNING id
)
SELECT count(*) FROM gone
