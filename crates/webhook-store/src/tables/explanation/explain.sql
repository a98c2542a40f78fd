-- Explains for every webhook what became of an event, as of the time when the event was taken in.
-- Returns the counts of all outcomes with each row of a page of webhooks.
--
-- $1 uuid         the event
-- $2 text         its environment
-- $3 timestamptz  the time at which it was taken in
-- $4 uuid         the webhook of a test event, else null
-- $5 text[]       the patterns that select the event's type
-- $6 integer      with $7: the rank of the last webhook of the page before; -1: the first page
-- $7 uuid         that webhook
-- $8 uuid         only this webhook; null: all
-- $9 text         only this outcome; null: all
-- $10 bigint      the most webhooks of the page
WITH given AS (
    SELECT $1::uuid AS event_id, $2::text AS environment, $3::timestamptz AS received_at,
           $4::uuid AS test_for, $5::text[] AS patterns
), judged AS MATERIALIZED (
    -- Every webhook with its outcome, for the counts. The columns that only a page shows are read at
    -- the end. A delivery is the truth; without one, the webhook's history says why.
    SELECT DISTINCT ON (webhooks.id) webhooks.id AS webhook_id,
           delivery.id AS delivery_id, attempts, valid_until,
           CASE
             WHEN delivery.status = 'succeeded' THEN 'delivered'
             WHEN delivery.status = 'pending' AND attempts > 0 THEN 'retrying'
             WHEN delivery.status IS NOT NULL THEN delivery.status::text
             WHEN test_for <> webhooks.id THEN 'test_event'
             ELSE coalesce(missed, 'not_kept')
           END AS outcome,
           -- 0: owed the event; 1: of its environment; 2: the rest.
           CASE
             WHEN delivery.id IS NOT NULL THEN 0
             WHEN coalesce(history.environment, webhooks.environment) = given.environment THEN 1
             ELSE 2
           END AS rank
    FROM given CROSS JOIN webhooks
    LEFT JOIN deliveries AS delivery
      ON delivery.event_id = given.event_id AND delivery.webhook_id = webhooks.id
    -- All versions of the webhook within 10 s of the intake.
    LEFT JOIN webhook_history AS history ON history.webhook_id = webhooks.id
      AND tstzrange(valid_from, valid_until)
          && tstzrange(received_at - interval '10 s', received_at + interval '10 s')
    -- Why the webhook as it was then did not get the event; null: it should have. A test event is for
    -- one webhook, whatever types that webhook is subscribed to.
    CROSS JOIN LATERAL (SELECT CASE
        WHEN history.version = 0 THEN 'created_later'
        WHEN history.deleted THEN 'deleted'
        WHEN test_for IS NULL AND history.environment <> given.environment
          THEN 'other_environment'
        WHEN test_for IS NULL AND NOT history.event_types && patterns THEN 'not_subscribed'
        WHEN history.status = 'inactive' THEN 'inactive'
    END AS missed) AS judgement
    -- A change that commits while the event is taken in may be dated to the other side of it. So where
    -- there is no delivery and the webhook should have got one, the version is taken that explains it:
    -- the nearest. The difference is 0 for the version of that time, and never looks at infinity.
    ORDER BY webhooks.id, delivery.id IS NULL AND missed IS NULL,
             greatest(valid_from, received_at) - least(valid_until, received_at)
), counted AS (
    SELECT jsonb_object_agg(outcome, webhooks) AS counts
    FROM (SELECT outcome, count(*) AS webhooks FROM judged GROUP BY outcome) AS each
), page AS (
    SELECT * FROM judged
    WHERE (rank, webhook_id) > ($6, $7)
      AND webhook_id = coalesce($8, webhook_id) AND outcome = coalesce($9, outcome)
    ORDER BY rank, webhook_id LIMIT $10
)
SELECT counts, rank, page.webhook_id, outcome, delivery_id, attempts, webhooks.name,
       webhooks.status = 'inactive', valid_until IS DISTINCT FROM 'infinity',
       history.name, history.environment, history.event_types, history.disabled_reason
FROM counted
-- One row without a webhook when the page is empty, for the counts.
LEFT JOIN (page JOIN webhooks ON webhooks.id = page.webhook_id) ON true
LEFT JOIN webhook_history AS history USING (webhook_id, valid_until)
ORDER BY rank, page.webhook_id
