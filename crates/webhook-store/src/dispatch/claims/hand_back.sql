-- Gives leased deliveries back to the backlogs of their webhooks.
--
-- backlog: 0 a first attempt, 1 a retry.
--
-- $1 uuid[]         the deliveries
-- $2 integer[]      the number of attempts of each, as this worker knows it
-- $3 timestamptz[]  the end of this worker's lease of each
WITH ours AS (
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[])
        WITH ORDINALITY AS ours (id, attempts, lease_until, place)
)
UPDATE deliveries_pending AS delivery SET
    -- A first attempt goes back to its place in the order of time. The microseconds keep the order
    -- of the deliveries that are given back together.
    next_attempt_at = CASE WHEN ours.attempts > 0 THEN now() ELSE least(created_at, now()) END
        + place * interval '1 microsecond',
    backlog = CASE WHEN ours.attempts > 0 THEN 1 ELSE 0 END
FROM ours
WHERE delivery.id = ANY(ARRAY(SELECT id FROM ours))
  -- The fence: a delivery that another worker has leased or recorded since stays as it is.
  AND delivery.id = ours.id AND delivery.attempts = ours.attempts
  AND delivery.next_attempt_at = ours.lease_until AND backlog IS NULL
