-- Takes the next step of the job that has waited longest for one, and puts the job off: a step that
-- fails, or whose worker dies, is taken again after the pause.
--
-- $1 double precision  the pause, in seconds
UPDATE jobs SET next_step_at = now() + make_interval(secs => $1)
WHERE id = (
    SELECT id FROM jobs WHERE status = 'running' AND next_step_at <= now()
    ORDER BY next_step_at LIMIT 1
    -- A job that another worker is taking a step of now is that worker's.
    FOR UPDATE SKIP LOCKED
)
RETURNING id
