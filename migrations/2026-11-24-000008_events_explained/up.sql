-- Whether anybody was owed an event, so that the others can be listed. Only those without a
-- delivery have to be written anew.
ALTER TABLE events ADD COLUMN matched boolean NOT NULL DEFAULT true;
UPDATE events SET matched = false
WHERE NOT EXISTS (SELECT FROM deliveries WHERE deliveries.event_id = events.id);
ALTER TABLE events ALTER COLUMN matched SET DEFAULT false;
COMMENT ON COLUMN events.matched IS 'whether any webhook was owed it when it was taken in';

-- Each list of events is merged out of the groups that this index has: one for each type,
-- environment and `matched`. Ascending, as it is read backward just as well and grows at the end of
-- each group.
CREATE INDEX events_listed ON events (event_type, environment, matched, received_at, id);

-- What decides whether a webhook is owed an event, as it was at any time.
CREATE TABLE webhook_history (
    webhook_id uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    version bigint NOT NULL,
    name text NOT NULL,
    environment text NOT NULL,
    status text NOT NULL,
    disabled_reason text,
    event_types text[] NOT NULL,
    deleted boolean NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz NOT NULL DEFAULT 'infinity',
    PRIMARY KEY (webhook_id, valid_until),
    CHECK (valid_from < valid_until)
);
-- All webhooks as they were at one time.
CREATE INDEX webhook_history_by_time ON webhook_history
    USING gist (tstzrange(valid_from, valid_until));
COMMENT ON COLUMN webhook_history.version IS 'the webhook''s when this began; 0: it was not there yet';
COMMENT ON COLUMN webhook_history.valid_from IS 'when the change was committed, as nearly as can be told';
COMMENT ON COLUMN webhook_history.valid_until IS 'when the next one was; infinity: it is so today';

-- Nobody who changes a webhook has to think of its history.
CREATE FUNCTION remember_webhook() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    begins timestamptz := clock_timestamp();
    closed timestamptz;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO webhook_history
        VALUES (NEW.id, 0, NEW.name, NEW.environment, NEW.status, NULL, NEW.event_types, false,
                '-infinity', begins);
    ELSE
        -- A clock that was set back must not make a time before the last one.
        UPDATE webhook_history
        SET valid_until = greatest(begins, valid_from + interval '1 microsecond')
        WHERE webhook_id = NEW.id AND valid_until = 'infinity'
        RETURNING valid_until INTO closed;
    END IF;
    INSERT INTO webhook_history
    VALUES (NEW.id, NEW.version, NEW.name, NEW.environment, NEW.status, NEW.disabled_reason,
            NEW.event_types, NEW.deleted_at IS NOT NULL, coalesce(closed, begins));
    RETURN NULL;
END $$;

-- They run when the transaction commits, so that a long one does not date its changes to its start.
CREATE CONSTRAINT TRIGGER remember_new_webhook AFTER INSERT ON webhooks
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION remember_webhook();
CREATE CONSTRAINT TRIGGER remember_changed_webhook
    AFTER UPDATE ON webhooks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.name, OLD.environment, OLD.status, OLD.disabled_reason, OLD.event_types, OLD.deleted_at)
        IS DISTINCT FROM
        (NEW.name, NEW.environment, NEW.status, NEW.disabled_reason, NEW.event_types, NEW.deleted_at))
    EXECUTE FUNCTION remember_webhook();

-- What is there already: known since its last change, and not there before it was made. What it was
-- in between is not known.
INSERT INTO webhook_history
SELECT id, 0, name, environment, status, NULL, event_types, false, '-infinity', created_at
FROM webhooks
UNION ALL
SELECT id, version, name, environment, status, disabled_reason, event_types,
       deleted_at IS NOT NULL, updated_at, 'infinity'
FROM webhooks;
