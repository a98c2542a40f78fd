CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1,
    name text NOT NULL,
    url text NOT NULL,
    environment text NOT NULL,
    description text NOT NULL DEFAULT '',
    status text NOT NULL CHECK (status IN ('active', 'inactive')),
    disabled_reason text,
    event_types text[] NOT NULL,
    sealed_secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, environment)
);
COMMENT ON COLUMN webhooks.version IS 'counts changes; caches and If-Match compare it';
COMMENT ON COLUMN webhooks.event_types IS 'patterns as chosen, such as license.*';
COMMENT ON COLUMN webhooks.sealed_secret IS 'key id (8 bytes), nonce (24 bytes), XChaCha20-Poly1305 ciphertext; associated data is the id';

-- The patterns written out, one row per type: what the intake joins.
CREATE TABLE subscriptions (
    webhook_id uuid NOT NULL,
    environment text NOT NULL,
    event_type text NOT NULL,
    PRIMARY KEY (environment, event_type, webhook_id),
    FOREIGN KEY (webhook_id, environment) REFERENCES webhooks (id, environment)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX subscriptions_by_webhook ON subscriptions (webhook_id);
