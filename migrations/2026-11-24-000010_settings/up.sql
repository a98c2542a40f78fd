-- What owners set for the whole platform.
CREATE TABLE settings (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    version bigint NOT NULL DEFAULT 1,
    keep_events_s bigint NOT NULL DEFAULT 2592000,
    keep_deliveries_s bigint NOT NULL DEFAULT 2592000,
    keep_bodies_s bigint NOT NULL DEFAULT 604800,
    keep_audit_s bigint NOT NULL DEFAULT 31536000,
    disable_after_s bigint NOT NULL DEFAULT 432000,
    grace_period_s bigint NOT NULL DEFAULT 86400,
    egress_addresses text[] NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE settings IS 'one row';
COMMENT ON COLUMN settings.version IS 'counts changes; If-Match compares it';
COMMENT ON COLUMN settings.keep_bodies_s IS 'for how long what was said on the wire is kept, in seconds';
COMMENT ON COLUMN settings.disable_after_s IS 'after how long of nothing but failure a webhook is set Inactive, in seconds';
COMMENT ON COLUMN settings.grace_period_s IS 'for how long a replaced secret signs when nobody says, in seconds';
COMMENT ON COLUMN settings.egress_addresses IS 'where requests come from, for the allow-lists of receivers; addresses or CIDRs';
INSERT INTO settings DEFAULT VALUES;

-- Where the removal of what is old has got to. The row is the lock that one worker at a time takes.
CREATE TABLE retention_sweep (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    subject text,
    after_at timestamptz NOT NULL DEFAULT to_timestamp(0),
    after_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    next_step_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE retention_sweep IS 'one row';
COMMENT ON COLUMN retention_sweep.subject IS 'the table that is being gone through; null: the first one, from its start';
COMMENT ON COLUMN retention_sweep.after_at IS 'with after_id: the last row that was looked at';
COMMENT ON COLUMN retention_sweep.next_step_at IS 'not before this time, so that the work of others goes on beside it';
INSERT INTO retention_sweep DEFAULT VALUES;

-- Ids of events are chosen by who publishes them; those of all else tell their time.
CREATE INDEX events_by_age ON events (received_at);

-- What was removed makes room for what comes. By default a fifth of a table would be dead first.
ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE attempts SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE exchanges SET (autovacuum_vacuum_scale_factor = 0.02);
