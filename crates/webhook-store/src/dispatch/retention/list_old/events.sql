-- Lists the next events that may be old, in the order of the times at which they were taken in.
--
-- $1 timestamptz  with $2: the row behind which to go on: its time
-- $2 uuid         its id
-- $3 timestamptz  the time before which a row is old
-- $4 uuid         the least id of that time
-- $5 bigint       the most rows
SELECT received_at AS at, id FROM events
WHERE received_at >= $1 AND (received_at, id) > ($1, $2) AND received_at < $3
ORDER BY received_at, id LIMIT $5
-- Locked here, and their deliveries are read in a later statement: a transaction that makes a delivery
-- pending meanwhile holds its event `FOR KEY SHARE`, so it either waits and finds no event, or its
-- delivery is seen.
FOR UPDATE SKIP LOCKED
