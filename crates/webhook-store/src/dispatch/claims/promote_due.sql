-- Moves deliveries whose time has come into the backlogs of their webhooks, oldest first.
--
-- backlog: 0 a first attempt, 1 a retry.
--
-- $1 bigint  the most deliveries
WITH due AS (
    SELECT id FROM deliveries_pending
    WHERE backlog IS NULL AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT $1
    -- A row that another worker is moving now is moved by that worker.
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries_pending SET backlog = CASE WHEN attempts > 0 THEN 1 ELSE 0 END
WHERE id = ANY(ARRAY(SELECT id FROM due))
