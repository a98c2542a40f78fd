-- Writes the sums of webhooks. A webhook without attempts in the 24 hours loses its row.
--
-- $1 timestamptz  the start of the last 24 hours
-- $2 uuid[]       the webhooks
-- $3 bigint[]     their attempts
-- $4 bigint[]     their failed attempts
-- $5 integer[]    the time within which 95 % of the attempts ended, in milliseconds, or null
WITH sums AS (
    SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::integer[])
        AS sums (webhook_id, attempts, failed_attempts, p95_ms)
), gone AS (
    DELETE FROM webhook_days USING sums
    WHERE webhook_days.webhook_id = sums.webhook_id AND sums.attempts = 0
)
INSERT INTO webhook_days (webhook_id, since, attempts, failed_attempts, failure_rate, p95_ms)
SELECT webhook_id, $1::timestamptz, attempts, failed_attempts,
       failed_attempts::double precision / attempts, p95_ms
FROM sums WHERE attempts > 0
ON CONFLICT (webhook_id) DO UPDATE SET
    since = excluded.since, attempts = excluded.attempts,
    failed_attempts = excluded.failed_attempts, failure_rate = excluded.failure_rate,
    p95_ms = excluded.p95_ms, summed_at = excluded.summed_at
