-- Counts the events that a webhook missed.
--
-- $1 uuid         the webhook
-- $2 text[]       event types
-- $3 timestamptz  the start of the span of time
-- $4 timestamptz  its end
SELECT count(*) AS count
FROM webhooks JOIN events ON events.environment = webhooks.environment
WHERE webhooks.id = $1 AND event_type = ANY($2)
  -- Both values, so that the index `events_listed` serves the columns behind `matched`.
  AND matched IN (false, true)
  AND received_at >= $3 AND received_at < $4 AND test_webhook_id IS NULL
  AND NOT EXISTS (SELECT FROM deliveries
                  WHERE event_id = events.id AND webhook_id = webhooks.id)
