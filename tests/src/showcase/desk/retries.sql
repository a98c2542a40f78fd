-- 40 deliveries that somebody retried by hand.
INSERT INTO resends (delivery_id, requested_at, after_attempt, status_before, actor_name, job_id)
SELECT id, ended_at - interval '1 s', greatest(attempts - 1, 0), 'failed', 'Priya Raman', NULL
FROM deliveries WHERE attempts > 1 AND status IN ('succeeded', 'failed') ORDER BY id DESC LIMIT 40
