CREATE TABLE events (
    id uuid PRIMARY KEY,
    event_type text NOT NULL,
    environment text NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    body bytea NOT NULL
);
COMMENT ON COLUMN events.occurred_at IS 'the publisher''s timestamp';
COMMENT ON COLUMN events.body IS 'the event as published, byte for byte, at most 256 KiB';

-- No foreign keys here: a check per row would cost more than the rows, and rows of these tables
-- are only ever made from one another within one statement.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'succeeded', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
COMMENT ON COLUMN deliveries.attempts IS 'attempts recorded so far';
COMMENT ON COLUMN deliveries.next_attempt_at IS 'not before this time; a lease moves it ahead; null when ended';
CREATE UNIQUE INDEX deliveries_by_event ON deliveries (event_id, webhook_id);
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_attempt_at) WHERE status = 'pending';

CREATE TABLE attempts (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    response_status integer,
    response_headers text NOT NULL,
    response_body bytea NOT NULL,
    response_body_truncated boolean NOT NULL,
    failure_class text,
    failure_detail text,
    -- The start tells apart two attempts with one number: a worker that outlived its lease, and
    -- its successor. It also makes recording the same attempt twice harmless.
    PRIMARY KEY (delivery_id, number, started_at)
);
COMMENT ON COLUMN attempts.number IS 'from 1';
COMMENT ON COLUMN attempts.response_headers IS 'JSON array of [name, value] pairs';
COMMENT ON COLUMN attempts.response_body IS 'the first 16 KiB';
