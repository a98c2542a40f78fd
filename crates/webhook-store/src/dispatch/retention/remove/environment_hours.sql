-- Removes counts of environments. Returns their number.
--
-- $1 timestamptz[]  the times of the rows
-- $2 uuid[]         their workers
-- $3 timestamptz    the time before which a row is old
WITH gone AS (
    DELETE FROM environment_hours
    WHERE (hour, worker_id) IN (SELECT * FROM unnest($1::timestamptz[], $2::uuid[]))
    RETURNING hour
)
SELECT count(*) FROM gone
