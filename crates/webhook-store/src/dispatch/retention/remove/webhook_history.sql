-- Removes versions of webhooks. Returns their number.
--
-- $1 timestamptz[]  the times of the rows
-- $2 uuid[]         their webhooks
-- $3 timestamptz    the time before which a row is old
WITH gone AS (
    DELETE FROM webhook_history
    WHERE (webhook_id, valid_until) IN (SELECT * FROM unnest($2::uuid[], $1::timestamptz[]))
    RETURNING valid_until
)
SELECT count(*) FROM gone
