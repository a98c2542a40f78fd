-- Makes deliveries due as retries, at the request of an admin, and notes who asked. Returns the
-- deliveries that became due.
--
-- Left alone are deliveries that cannot be sent, because the event's body is no longer stored or the
-- webhook is not Active, and pending deliveries without an attempt: the first attempt is on the way.
--
-- $1 uuid[]  the deliveries
-- $2 text[]  the status that the caller has read of each; a delivery with another status is left alone
-- $3 text    the name of the admin
-- $4 uuid    the job, or null
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::text[]) AS wanted (id, status)
), locked_events AS (
    -- The events of the deliveries, locked, so that retention removes none of the events until the commit.
    SELECT id FROM events WHERE id = ANY(ARRAY(
        SELECT event_id FROM deliveries WHERE id = ANY(ARRAY(SELECT id FROM wanted))
    )) FOR KEY SHARE
), ended AS (
    DELETE FROM deliveries_ended AS delivery USING wanted
    WHERE delivery.id = ANY(ARRAY(SELECT id FROM wanted))
      AND delivery.id = wanted.id AND delivery.status = wanted.status::delivery_status
      AND event_id IN (SELECT id FROM locked_events)
      AND EXISTS (SELECT FROM webhooks
                  WHERE webhooks.id = webhook_id AND webhooks.status = 'active')
    RETURNING delivery.*
), reopened AS (
    -- A delivery that had ended begins its schedule anew: attempts go on counting, and the schedule
    -- counts from here. The delivery waits as a retry (backlog 1); an ordered delivery waits for its turn.
    INSERT INTO deliveries_pending (id, event_id, webhook_id, event_type, environment, test,
        attempts, last_answer, schedule_from, schedule_since, ordering_key,
        ordering_sequence, created_at, next_attempt_at, backlog)
    SELECT id, event_id, webhook_id, event_type, environment, test,
        attempts, last_answer, attempts, now(), ordering_key,
        ordering_sequence, created_at,
        CASE WHEN ordering_key IS NULL THEN now() END,
        CASE WHEN ordering_key IS NULL THEN 1 END
    FROM ended
), made_due_now AS (
    -- A delivery that waits for its retry is due at once, and its schedule goes on. A delivery under way
    -- is taken from its worker here, and may be sent twice; the API's description says so.
    UPDATE deliveries_pending AS delivery SET
        next_attempt_at = CASE WHEN ordering_key IS NULL OR next_attempt_at IS NOT NULL
            THEN now() END,
        backlog = CASE WHEN ordering_key IS NULL OR next_attempt_at IS NOT NULL THEN 1 END
    FROM wanted
    WHERE delivery.id = ANY(ARRAY(SELECT id FROM wanted))
      AND delivery.id = wanted.id AND wanted.status = 'pending' AND attempts > 0
      AND event_id IN (SELECT id FROM locked_events)
      AND EXISTS (SELECT FROM webhooks
                  WHERE webhooks.id = webhook_id AND webhooks.status = 'active')
    RETURNING delivery.*
), due AS (
    SELECT id, webhook_id, ordering_key, attempts, status FROM ended
    UNION ALL
    SELECT id, webhook_id, ordering_key, attempts, status FROM made_due_now
), noted_requests AS (
    INSERT INTO resends (delivery_id, after_attempt, status_before, actor_name, job_id)
    SELECT id, attempts, status, $3::text, $4::uuid FROM due
)
SELECT id, webhook_id, ordering_key FROM due
