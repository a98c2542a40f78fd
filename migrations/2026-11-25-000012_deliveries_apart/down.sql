ALTER TABLE deliveries DETACH PARTITION deliveries_ended;
ALTER SEQUENCE deliveries_ordering OWNED BY deliveries_ended.ordering_sequence;
INSERT INTO deliveries_ended SELECT * FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_ended RENAME TO deliveries;
ALTER INDEX deliveries_ended_pkey RENAME TO deliveries_pkey;
ALTER INDEX deliveries_ended_by_event RENAME TO deliveries_by_event;
ALTER INDEX deliveries_ended_by_webhook RENAME TO deliveries_by_webhook;
ALTER INDEX deliveries_ended_by_group RENAME TO deliveries_by_group;
ALTER TABLE deliveries
    ALTER COLUMN status DROP DEFAULT,
    ALTER COLUMN status TYPE text,
    ALTER COLUMN status SET DEFAULT 'pending',
    ADD CONSTRAINT deliveries_status_check
        CHECK (status IN ('pending', 'succeeded', 'failed', 'cancelled'));
DROP TYPE delivery_status;
CREATE INDEX deliveries_coming_due ON deliveries (next_attempt_at)
    WHERE status = 'pending' AND backlog IS NULL;
CREATE INDEX deliveries_backlog ON deliveries (webhook_id, backlog, next_attempt_at)
    WHERE backlog IS NOT NULL;
CREATE INDEX deliveries_in_order ON deliveries (webhook_id, ordering_key, ordering_sequence)
    WHERE status = 'pending' AND ordering_key IS NOT NULL;
CREATE INDEX deliveries_pending ON deliveries (webhook_id) WHERE status = 'pending';
