-- Lists the next transcripts that may be old, in the order of ids, which begin with the time.
--
-- $1 timestamptz  with $2: the row behind which to go on: its time
-- $2 uuid         its id
-- $3 timestamptz  the time before which a row is old
-- $4 uuid         the least id of that time
-- $5 bigint       the most rows
SELECT recorded_at AS at, id FROM exchanges
WHERE id > $2 AND id < $4 ORDER BY id LIMIT $5
