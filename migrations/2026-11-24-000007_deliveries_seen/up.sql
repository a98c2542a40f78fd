-- What deliveries are listed by, in the deliveries themselves: their events may be gone before them.
CREATE TYPE event_type AS ENUM (
    'license.created', 'license.updated', 'license.deleted', 'license.assigned',
    'license.activated', 'license.deactivated', 'license.suspended', 'license.expired',
    'license.revoked', 'activation.created', 'activation.deleted', 'activation.failed',
    'product.created', 'product.updated', 'product.deleted', 'contract.created',
    'contract.updated', 'contract.deleted', 'contract.suspended', 'telemetry.received',
    'telemetry.flagged'
);
CREATE TYPE environment AS ENUM ('production', 'staging', 'development');

ALTER TABLE deliveries
    ADD COLUMN event_type event_type,
    ADD COLUMN environment environment,
    ADD COLUMN test boolean NOT NULL DEFAULT false,
    ADD COLUMN last_answer smallint NOT NULL DEFAULT 0,
    ADD COLUMN schedule_from integer NOT NULL DEFAULT 0;
UPDATE deliveries SET
    event_type = events.event_type::event_type,
    environment = events.environment::environment,
    test = test_webhook_id IS NOT NULL
FROM events WHERE events.id = deliveries.event_id;
UPDATE deliveries SET last_answer = last.answer
FROM (
    SELECT DISTINCT ON (delivery_id) delivery_id, CASE failure_class
        WHEN 'dns' THEN 1 WHEN 'connect' THEN 2 WHEN 'tls' THEN 3 WHEN 'timeout' THEN 4
        WHEN 'reset' THEN 5 WHEN 'blocked_address' THEN 6 ELSE response_status END AS answer
    FROM attempts ORDER BY delivery_id, number DESC, started_at DESC
) AS last
WHERE last.delivery_id = deliveries.id;
ALTER TABLE deliveries
    ALTER COLUMN event_type SET NOT NULL,
    ALTER COLUMN environment SET NOT NULL;
COMMENT ON COLUMN deliveries.last_answer IS 'of the latest attempt: the HTTP status, or 1 dns, 2 connect, 3 tls, 4 timeout, 5 reset, 6 blocked_address; 0: not tried yet';
COMMENT ON COLUMN deliveries.schedule_from IS 'attempts recorded when an admin asked for it again; the retry policy counts from here';

-- Whatever is filtered by, a page is merged out of the newest rows of each group of equals: so it
-- reads a few rows of these indexes, however many there are.
DROP INDEX deliveries_by_webhook;
CREATE INDEX deliveries_by_webhook ON deliveries
    (webhook_id, status, last_answer, environment, event_type, id);
CREATE INDEX deliveries_by_group ON deliveries (status, last_answer, environment, event_type, id);

-- What was said on the wire is kept for a shorter time than that it was said.
CREATE TABLE exchanges (
    started_at timestamptz NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    request_url text NOT NULL,
    request_headers text NOT NULL,
    response_headers text NOT NULL,
    response_body bytea NOT NULL,
    response_body_truncated boolean NOT NULL,
    PRIMARY KEY (started_at, delivery_id, number)
);
COMMENT ON TABLE exchanges IS 'request and answer of an attempt; the request''s body is the event''s';
COMMENT ON COLUMN exchanges.request_headers IS 'JSON array of [name, value] pairs; null for a value that is secret';
COMMENT ON COLUMN exchanges.response_headers IS 'JSON array of [name, value] pairs';
COMMENT ON COLUMN exchanges.response_body IS 'the first 16 KiB';
INSERT INTO exchanges
SELECT started_at, delivery_id, number, '', '[]', response_headers, response_body,
       response_body_truncated
FROM attempts;
ALTER TABLE attempts
    DROP COLUMN response_headers,
    DROP COLUMN response_body,
    DROP COLUMN response_body_truncated,
    ADD COLUMN dns_ms integer,
    ADD COLUMN connect_ms integer,
    ADD COLUMN first_byte_ms integer;
COMMENT ON COLUMN attempts.dns_ms IS 'to look the name up; null: it was not, as a connection was there';
COMMENT ON COLUMN attempts.connect_ms IS 'to connect, TLS included; null: a connection was there';
COMMENT ON COLUMN attempts.first_byte_ms IS 'from the start to the answer''s head';

-- Admins ask for deliveries again: one, or many by a job.
CREATE TABLE resends (
    delivery_id uuid NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    after_attempt integer NOT NULL,
    status_before text NOT NULL,
    actor_name text NOT NULL,
    job_id uuid,
    PRIMARY KEY (delivery_id, requested_at)
);
COMMENT ON COLUMN resends.status_before IS 'what the delivery was; succeeded: it is a resend; missed: it was made by a replay';

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('retry', 'replay')),
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'finished', 'cancelled')),
    webhook_id uuid,
    selection jsonb NOT NULL,
    rate integer NOT NULL CHECK (rate > 0),
    total bigint NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    position jsonb,
    next_step_at timestamptz NOT NULL DEFAULT now(),
    actor_id uuid,
    actor_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
COMMENT ON TABLE jobs IS 'many deliveries made due step by step; what a step did and where it got to is one transaction';
COMMENT ON COLUMN jobs.rate IS 'deliveries per second';
COMMENT ON COLUMN jobs.total IS 'how many there were to do when it was made';
COMMENT ON COLUMN jobs.skipped IS 'looked at and left alone: they could not be sent any more, or were on their way';
COMMENT ON COLUMN jobs.position IS 'the last one that was looked at; null: none yet';
CREATE INDEX jobs_running ON jobs (next_step_at) WHERE status = 'running';

-- Statistics: why attempts failed and how long they took, by position as the domain's
-- `statistics.rs` lists them. What is missing at the end of an array is 0.
CREATE FUNCTION add_counts(integer[], integer[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT coalesce(one, 0) + coalesce(other, 0)
    FROM unnest($1, $2) WITH ORDINALITY AS counts (one, other, place) ORDER BY place
);
CREATE AGGREGATE sum_counts(integer[]) (sfunc = add_counts, stype = integer[], initcond = '{}');
ALTER TABLE webhook_hours
    ADD COLUMN failures integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN durations integer[] NOT NULL DEFAULT '{}';
CREATE INDEX webhook_hours_by_hour ON webhook_hours (hour);
CREATE TABLE total_hours (
    hour timestamptz NOT NULL,
    worker_id uuid NOT NULL,
    attempts integer NOT NULL,
    failed_attempts integer NOT NULL,
    succeeded integer NOT NULL,
    failed integer NOT NULL,
    failures integer[] NOT NULL,
    durations integer[] NOT NULL,
    PRIMARY KEY (hour, worker_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE total_hours IS 'the same for all webhooks; a row per worker, so that none waits for another';
INSERT INTO total_hours
SELECT hour, '00000000-0000-0000-0000-000000000000', sum(attempts), sum(failed_attempts),
       sum(succeeded), sum(failed), '{}', '{}'
FROM webhook_hours GROUP BY hour;
