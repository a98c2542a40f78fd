-- How each webhook wants to be served.
ALTER TABLE webhooks
    ADD COLUMN max_concurrency integer CHECK (max_concurrency > 0),
    ADD COLUMN rate_limit integer CHECK (rate_limit > 0),
    ADD COLUMN ordering_field text;
COMMENT ON COLUMN webhooks.max_concurrency IS 'requests at once per dispatcher; null: as the dispatcher is configured';
COMMENT ON COLUMN webhooks.rate_limit IS 'requests per second from all dispatchers together; null: no limit';
COMMENT ON COLUMN webhooks.ordering_field IS 'field of data whose equal values are delivered in order; null: no order';

CREATE TABLE retry_policies (
    environment text UNIQUE,
    webhook_id uuid UNIQUE REFERENCES webhooks ON DELETE CASCADE,
    max_attempts integer NOT NULL,
    initial_interval_ms bigint NOT NULL,
    multiplier double precision NOT NULL,
    max_interval_ms bigint NOT NULL,
    jitter double precision NOT NULL,
    timeout_ms bigint NOT NULL,
    CHECK (num_nonnulls(environment, webhook_id) = 1)
);
COMMENT ON TABLE retry_policies IS 'the default of each environment, and the webhooks that have their own';
COMMENT ON COLUMN retry_policies.jitter IS 'how far a delay may stray, 0 to 1';
INSERT INTO retry_policies (environment, max_attempts, initial_interval_ms, multiplier, max_interval_ms, jitter, timeout_ms)
SELECT environment, 12, 10000, 4, 43200000, 0.2, 15000
FROM unnest(ARRAY['production', 'staging', 'development']) AS environment;

-- What each webhook has left of its rate; a full bucket is a tenth of a second's worth.
CREATE TABLE rate_buckets (
    webhook_id uuid PRIMARY KEY REFERENCES webhooks ON DELETE CASCADE,
    tokens double precision NOT NULL DEFAULT 0,
    refilled_at timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON COLUMN rate_buckets.tokens IS 'requests that could be made at refilled_at';
INSERT INTO rate_buckets (webhook_id) SELECT id FROM webhooks;

-- Only a webhook that is failing has a row, so that healthy ones cost nothing.
CREATE TABLE webhook_health (
    webhook_id uuid PRIMARY KEY REFERENCES webhooks ON DELETE CASCADE,
    failing_since timestamptz NOT NULL,
    failures integer NOT NULL,
    warned_at timestamptz,
    paused_at timestamptz,
    paused_until timestamptz,
    pauses integer NOT NULL DEFAULT 0,
    CHECK ((paused_at IS NULL) = (paused_until IS NULL))
);
COMMENT ON COLUMN webhook_health.failures IS 'failed attempts since the last accepted one';
COMMENT ON COLUMN webhook_health.warned_at IS 'when its owner was told that it will be set Inactive';
COMMENT ON COLUMN webhook_health.paused_until IS 'while the circuit is open: when the next probe may go; null: closed';
COMMENT ON COLUMN webhook_health.pauses IS 'how often the circuit paused in a row';

ALTER TABLE deliveries
    ADD COLUMN backlog smallint CHECK (backlog IN (0, 1)),
    ADD COLUMN ordering_key uuid,
    ADD COLUMN ordering_sequence bigint;
COMMENT ON COLUMN deliveries.backlog IS 'due and waiting for room: 0 a first attempt, 1 a retry; null: leased, not due, or ended';
COMMENT ON COLUMN deliveries.ordering_key IS 'hash of the ordering field''s value; pending rows of one webhook and key go one by one';
COMMENT ON COLUMN deliveries.ordering_sequence IS 'the order in which they were taken from the broker';
COMMENT ON COLUMN deliveries.next_attempt_at IS 'not before this time; a lease moves it ahead; null when ended, or held until the one before it in its order has ended';
CREATE SEQUENCE deliveries_ordering OWNED BY deliveries.ordering_sequence CACHE 1;

DROP INDEX deliveries_due;
CREATE INDEX deliveries_coming_due ON deliveries (next_attempt_at)
    WHERE status = 'pending' AND backlog IS NULL;
CREATE INDEX deliveries_backlog ON deliveries (webhook_id, backlog, next_attempt_at)
    WHERE backlog IS NOT NULL;
CREATE INDEX deliveries_in_order ON deliveries (webhook_id, ordering_key, ordering_sequence)
    WHERE status = 'pending' AND ordering_key IS NOT NULL;

-- Told to the platform's own services, once the change that it tells of is committed.
CREATE TABLE status_events (
    id uuid PRIMARY KEY,
    routing_key text NOT NULL,
    body text NOT NULL,
    publish_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE status_events IS 'an outbox: a row is gone when the broker has confirmed it';
COMMENT ON COLUMN status_events.publish_at IS 'not before this time; whoever publishes it moves it ahead first';
CREATE INDEX status_events_due ON status_events (publish_at);
