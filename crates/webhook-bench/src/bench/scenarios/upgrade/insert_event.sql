INSERT INTO events (id, event_type, environment, occurred_at, body, matched)
VALUES (gen_random_uuid(), 'license.created', 'production', now(), '{}', false)
