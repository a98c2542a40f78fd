ALTER TABLE webhooks
    ADD COLUMN header_names text[] NOT NULL DEFAULT '{}',
    ADD COLUMN sealed_headers bytea,
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN timeout_ms integer CHECK (timeout_ms > 0),
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN search_text text NOT NULL GENERATED ALWAYS AS (lower(name || E'\n' || url)) STORED;
COMMENT ON COLUMN webhooks.header_names IS 'of the custom headers, in order';
COMMENT ON COLUMN webhooks.sealed_headers IS 'the custom headers as a JSON object, sealed like the secret; null: none';
COMMENT ON COLUMN webhooks.metadata IS 'pairs of text';
COMMENT ON COLUMN webhooks.timeout_ms IS 'how long an attempt may take; null: as its retry policy says';
COMMENT ON COLUMN webhooks.deleted_at IS 'set: it is Inactive for ever, kept for its history';
COMMENT ON COLUMN webhooks.search_text IS 'what a search looks into; names have no line breaks';

-- A substring is found without reading all rows where the extension may be installed; without it
-- a search reads them all.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX webhooks_search ON webhooks USING gin (search_text gin_trgm_ops)
        WHERE deleted_at IS NULL;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported
    OR invalid_parameter_value OR undefined_object THEN
    RAISE NOTICE 'pg_trgm is not available: %', SQLERRM;
END $$;
CREATE INDEX webhooks_by_pattern ON webhooks USING gin (event_types) WHERE deleted_at IS NULL;
CREATE INDEX webhooks_by_name ON webhooks (lower(name), id) WHERE deleted_at IS NULL;

-- Secrets that were replaced and still sign.
CREATE TABLE previous_secrets (
    webhook_id uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    sealed_secret bytea NOT NULL,
    valid_until timestamptz NOT NULL,
    replaced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (webhook_id, replaced_at)
);
COMMENT ON COLUMN previous_secrets.sealed_secret IS 'like webhooks.sealed_secret';

-- Test events go to one webhook.
ALTER TABLE events ADD COLUMN test_webhook_id uuid;
COMMENT ON COLUMN events.test_webhook_id IS 'set: a test event for this webhook only';

-- Written by the recorder with the attempts that they count.
CREATE TABLE webhook_activity (
    webhook_id uuid PRIMARY KEY,
    delivery_id uuid NOT NULL,
    delivery_status text NOT NULL,
    attempted_at timestamptz NOT NULL,
    response_status integer,
    failure_class text
) WITH (fillfactor = 50);
COMMENT ON TABLE webhook_activity IS 'the latest attempt of each webhook';
CREATE TABLE webhook_hours (
    webhook_id uuid,
    hour timestamptz,
    attempts integer NOT NULL,
    failed_attempts integer NOT NULL,
    succeeded integer NOT NULL,
    failed integer NOT NULL,
    PRIMARY KEY (webhook_id, hour)
) WITH (fillfactor = 50);
COMMENT ON TABLE webhook_hours IS 'counts per webhook and hour in which attempts began';
COMMENT ON COLUMN webhook_hours.succeeded IS 'deliveries that were accepted';
COMMENT ON COLUMN webhook_hours.failed IS 'deliveries that were given up';

ALTER TABLE api_keys
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN revoked_at timestamptz,
    ADD COLUMN last_used_at timestamptz;
COMMENT ON COLUMN api_keys.last_used_at IS 'to the minute';

-- Browsers that signed in with a key. A session ends with its key.
CREATE TABLE sessions (
    hash bytea PRIMARY KEY,
    api_key_id uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
COMMENT ON COLUMN sessions.hash IS 'SHA-256 of the cookie''s value; the value itself is not stored';
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE audit_entries (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_id uuid,
    actor_name text NOT NULL,
    request_id text,
    action text NOT NULL,
    webhook_id uuid,
    subject text NOT NULL,
    before jsonb,
    after jsonb
);
COMMENT ON COLUMN audit_entries.id IS 'UUID v7 of the time in `at`';
COMMENT ON COLUMN audit_entries.actor_id IS 'the API key; null: the platform itself, or the command line';
COMMENT ON COLUMN audit_entries.subject IS 'what was changed, by its name then';
COMMENT ON COLUMN audit_entries.before IS 'what changed, as it was; without secrets';
CREATE INDEX audit_by_webhook ON audit_entries (webhook_id, id) WHERE webhook_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit_entries (actor_id, id) WHERE actor_id IS NOT NULL;

-- Answers to requests that made something, to be given again when the request is repeated.
CREATE TABLE idempotency_keys (
    id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    sealed_answer bytea,
    made_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (api_key_id, key)
);
COMMENT ON COLUMN idempotency_keys.id IS 'what the sealed answer is bound to';
COMMENT ON COLUMN idempotency_keys.request_hash IS 'SHA-256 of method, path and body';
COMMENT ON COLUMN idempotency_keys.sealed_answer IS 'it may hold a secret; null only while its transaction runs';
COMMENT ON COLUMN idempotency_keys.made_id IS 'what was made; when it goes, the answer goes';
CREATE INDEX idempotency_by_made ON idempotency_keys (made_id);
CREATE INDEX idempotency_by_age ON idempotency_keys (created_at);
