-- Lists the ids of a page of deliveries of some webhooks, newest first.
--
-- A group is all deliveries with one webhook, status, last response, environment and type. The index
-- `deliveries_by_webhook` holds each group in the order of ids. This reads a few rows of each
-- group, however many deliveries there are.
--
-- $1 uuid[]    the webhooks
-- $2 text      a status; null: any
-- $3 smallint  with $4: the range of last_answer; null: any
-- $4 smallint  the end of that range
-- $5 text      an environment; null: any
-- $6 text      an event type; null: any
-- $7 uuid      the least id, made of the start of the span of time
-- $8 uuid      the id before which the span of time ends
-- $9 uuid      the last delivery of the page before; null: the first page
-- $10 bigint   the most deliveries of a page
WITH RECURSIVE groups AS (
    -- The first group of each webhook, then from each group to the next one of the index.
    SELECT first.*, given.webhook_id AS given
    FROM unnest($1::uuid[]) AS given (webhook_id)
    CROSS JOIN LATERAL (
        SELECT webhook_id, status, last_answer, environment, event_type FROM deliveries
        WHERE webhook_id = given.webhook_id
          AND ($2::text IS NULL OR status = $2::delivery_status)
        ORDER BY webhook_id, status, last_answer, environment, event_type LIMIT 1
    ) AS first
    UNION ALL
    -- Each line of hops ends one group too late, at another webhook or status: a hop names all
    -- columns that the index begins with, and no more. With one of them set equal beside it,
    -- Postgres would begin at the first row of that column each time.
    SELECT next.*, groups.given FROM groups
    CROSS JOIN LATERAL (
        SELECT webhook_id, status, last_answer, environment, event_type FROM deliveries
        WHERE (webhook_id, status, last_answer, environment, event_type) >
            (groups.webhook_id, groups.status, groups.last_answer, groups.environment,
            groups.event_type)
        ORDER BY webhook_id, status, last_answer, environment, event_type LIMIT 1
    ) AS next
    WHERE groups.webhook_id = groups.given
      AND ($2::text IS NULL OR groups.status = $2::delivery_status)
), wanted AS (
    -- The groups that are asked for.
    SELECT * FROM groups
    WHERE groups.webhook_id = groups.given
      AND ($2::text IS NULL OR status = $2::delivery_status)
      AND ($3::smallint IS NULL OR last_answer BETWEEN $3 AND $4)
      AND ($5::text IS NULL OR environment = $5::environment)
      AND ($6::text IS NULL OR event_type = $6::event_type)
), heads AS (
    -- The newest delivery of each group. Only groups whose newest is among the newest can have a
    -- part in the page.
    SELECT wanted.*, head.id FROM wanted
    CROSS JOIN LATERAL (
        SELECT id FROM deliveries
        WHERE webhook_id = wanted.webhook_id AND status = wanted.status
          AND last_answer = wanted.last_answer AND environment = wanted.environment
          AND event_type = wanted.event_type AND id >= $7 AND id < $8
          AND ($9::uuid IS NULL OR id < $9)
        ORDER BY id DESC LIMIT 1
    ) AS head
    ORDER BY head.id DESC LIMIT $10
)
-- The page: the newest deliveries of those groups, merged.
SELECT row.id FROM heads AS wanted
CROSS JOIN LATERAL (
    SELECT id FROM deliveries
    WHERE webhook_id = wanted.webhook_id AND status = wanted.status
      AND last_answer = wanted.last_answer AND environment = wanted.environment
      AND event_type = wanted.event_type AND id >= $7 AND id < $8
      AND ($9::uuid IS NULL OR id < $9)
    ORDER BY id DESC LIMIT $10
) AS row
ORDER BY row.id DESC LIMIT $10
