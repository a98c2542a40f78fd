-- What is pending and what has ended lie apart. A delivery is written once when it is owed, with
-- the few indexes that lead to work, and once when it has ended, with those that lists go by; before,
-- each was written to all of them twice. The status has four values, and those indexes are compared
-- faster and are smaller when it has four bytes. For that the table is written anew, once: some
-- minutes for ten million deliveries.
ALTER TABLE deliveries RENAME TO deliveries_ended;
DROP INDEX deliveries_coming_due, deliveries_backlog, deliveries_in_order, deliveries_pending;
CREATE TYPE delivery_status AS ENUM ('pending', 'succeeded', 'failed', 'cancelled');
ALTER TABLE deliveries_ended
    DROP CONSTRAINT deliveries_status_check,
    ALTER COLUMN status DROP DEFAULT,
    ALTER COLUMN status TYPE delivery_status USING status::delivery_status,
    ALTER COLUMN status SET DEFAULT 'pending';
CREATE TABLE deliveries (LIKE deliveries_ended INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)
    PARTITION BY LIST (status);
COMMENT ON TABLE deliveries IS 'two partitions; whoever changes a status moves the row: what waits for a row that was moved must not fail';
ALTER SEQUENCE deliveries_ordering OWNED BY deliveries.ordering_sequence;

CREATE TABLE deliveries_pending
    (LIKE deliveries_ended INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS);
WITH moved AS (DELETE FROM deliveries_ended WHERE status = 'pending' RETURNING *)
INSERT INTO deliveries_pending SELECT * FROM moved;
ALTER TABLE deliveries_pending ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX deliveries_pending_by_event ON deliveries_pending (event_id, webhook_id);
CREATE INDEX deliveries_coming_due ON deliveries_pending (next_attempt_at) WHERE backlog IS NULL;
CREATE INDEX deliveries_backlog ON deliveries_pending (webhook_id, backlog, next_attempt_at)
    WHERE backlog IS NOT NULL;
CREATE INDEX deliveries_in_order ON deliveries_pending (webhook_id, ordering_key, ordering_sequence)
    WHERE ordering_key IS NOT NULL;

ALTER INDEX deliveries_pkey RENAME TO deliveries_ended_pkey;
ALTER INDEX deliveries_by_event RENAME TO deliveries_ended_by_event;
ALTER INDEX deliveries_by_webhook RENAME TO deliveries_ended_by_webhook;
ALTER INDEX deliveries_by_group RENAME TO deliveries_ended_by_group;
ALTER TABLE deliveries ATTACH PARTITION deliveries_pending FOR VALUES IN ('pending');
ALTER TABLE deliveries ATTACH PARTITION deliveries_ended
    FOR VALUES IN ('succeeded', 'failed', 'cancelled');
CREATE INDEX deliveries_by_webhook ON deliveries
    (webhook_id, status, last_answer, environment, event_type, id);
CREATE INDEX deliveries_by_group ON deliveries
    (status, last_answer, environment, event_type, id);

-- Every delivery passes through it. What it leaves behind is cleared away as soon as anybody looks.
ALTER TABLE deliveries_pending SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
);
