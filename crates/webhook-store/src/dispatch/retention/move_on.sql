-- Writes where the next step of the sweep begins, and when. Returns the pause until then, in seconds.
--
-- $1 text              the table of the next step; null: the first one
-- $2 timestamptz       with $3: the row behind which the next step goes on: its time
-- $3 uuid              its id
-- $4 double precision  the least pause, in seconds
UPDATE retention_sweep SET
    subject = $1, after_at = $2, after_id = $3,
    -- Nine times as long as this transaction took, so that the sweep takes at most a tenth of the time
    -- of one connection.
    next_step_at = clock_timestamp()
        + greatest(make_interval(secs => $4), 9 * (clock_timestamp() - now()))
RETURNING extract(epoch FROM next_step_at - clock_timestamp())::float8
