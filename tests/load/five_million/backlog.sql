-- An event that each of the 10,000 webhooks is owed: their deliveries are overdue.
INSERT INTO events (id, event_type, environment, occurred_at, body, matched)
VALUES ('0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e', 'license.created', 'production', now(), '{}', true);
INSERT INTO deliveries
    (id, event_id, webhook_id, event_type, environment, status, next_attempt_at, backlog)
SELECT gen_random_uuid(), '0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e', id, 'license.created',
       environment::environment,
       'pending', now() - random() * interval '1 hour', 0
FROM webhooks WHERE name LIKE 'Webhook %'
