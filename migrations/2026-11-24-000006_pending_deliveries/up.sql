-- Apart from all else, as it takes a while on a large table and nothing is written to it meanwhile.
-- What is pending for one webhook: to be counted, and cancelled when it is deleted.
CREATE INDEX deliveries_pending ON deliveries (webhook_id) WHERE status = 'pending';
