-- Lists webhooks whose sums are out of date, longest first: an attempt was recorded since, or the 24 hours
-- have moved on. Two seconds are added for a transaction that was committed after the sums were read,
-- though it began before.
--
-- $1 timestamptz  the start of the last 24 hours
-- $2 bigint       the most webhooks
SELECT webhook_id FROM webhook_activity
FULL JOIN webhook_days USING (webhook_id)
WHERE webhook_days.since < $1
   OR webhook_activity.recorded_at > webhook_days.summed_at - interval '2 s'
   OR (webhook_days.webhook_id IS NULL AND webhook_activity.recorded_at >= $1)
ORDER BY webhook_days.summed_at NULLS FIRST, webhook_id LIMIT $2
