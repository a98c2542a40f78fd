-- An event that a third of the webhooks were owed.
INSERT INTO events (id, event_type, environment, occurred_at, body, matched)
VALUES ('0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e', 'license.created', 'production', now(), '{}', true);
INSERT INTO deliveries
    (id, event_id, webhook_id, event_type, environment, status, attempts, last_answer)
SELECT gen_random_uuid(), '0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e', id, 'license.created',
    'production', 'succeeded', 1, 200 FROM webhooks
WHERE environment = 'production' AND status = 'active'
