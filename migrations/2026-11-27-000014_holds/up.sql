-- A receiver that answers with `Retry-After` is held: nothing of its webhook is sent before that time.
-- The row in `webhook_health` of a webhook that is held and not failing has 0 failures. A dispatcher
-- of the version before ignores holds, and forgets one when a request is accepted.
ALTER TABLE webhook_health ADD COLUMN held_until timestamptz;
COMMENT ON COLUMN webhook_health.held_until IS 'the receiver asked for no requests until then; null: it did not';
COMMENT ON COLUMN webhook_health.failures IS 'failed attempts since the last accepted one; 0: it is not failing, and only held, if that';
CREATE INDEX webhook_health_held ON webhook_health (held_until) WHERE held_until IS NOT NULL;

-- An answer 429 costs a delivery no attempt while it is young.
ALTER TABLE deliveries
    ADD COLUMN schedule_since timestamptz,
    ADD COLUMN throttled integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN deliveries.schedule_since IS 'when its schedule began anew, as somebody asked for it again; null: when it was owed';
COMMENT ON COLUMN deliveries.schedule_from IS 'how many of its attempts its schedule does not count: those before it began anew, and those since that were answered 429 and cost none';
COMMENT ON COLUMN deliveries.throttled IS 'its latest attempts in a row that were answered 429 and cost none';
