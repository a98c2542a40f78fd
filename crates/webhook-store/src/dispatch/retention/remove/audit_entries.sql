-- Removes audit entries. Returns their number.
--
-- $1 timestamptz[]  the times of the rows
-- $2 uuid[]         their ids
-- $3 timestamptz    the time before which a row is old
WITH gone AS (
    DELETE FROM audit_entries WHERE id = ANY($2) RETURNING id
)
SELECT count(*) FROM gone
