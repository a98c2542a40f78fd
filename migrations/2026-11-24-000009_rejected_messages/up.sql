-- Messages that could not be an event, until an admin requeues or discards them.
CREATE TABLE rejected_messages (
    id uuid PRIMARY KEY,
    reason text NOT NULL,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    body bytea NOT NULL,
    body_bytes bigint NOT NULL,
    body_truncated boolean NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN rejected_messages.id IS 'UUID v7, given by the dispatcher that rejected it';
COMMENT ON COLUMN rejected_messages.exchange IS 'where it was published; empty: straight into a queue';
COMMENT ON COLUMN rejected_messages.body IS 'as it was published, or its start';
COMMENT ON COLUMN rejected_messages.body_bytes IS 'its size as it was published';
COMMENT ON COLUMN rejected_messages.body_truncated IS 'it was too large to be kept whole, and cannot be requeued';
COMMENT ON COLUMN rejected_messages.rejected_at IS 'when it was written down, by this clock';
