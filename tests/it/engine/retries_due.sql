-- While the webhook is Inactive, no dispatcher takes a retry before all of them are there.
UPDATE webhooks SET status = 'inactive';
INSERT INTO events (id, event_type, environment, occurred_at, body)
    SELECT gen_random_uuid(), event_type, environment, occurred_at, body
    FROM events, generate_series(1, 2000);
INSERT INTO deliveries
        (id, event_id, webhook_id, event_type, environment, attempts, next_attempt_at)
    SELECT gen_random_uuid(), events.id, webhooks.id, events.event_type::event_type,
        'production', 1, now() - interval '1 h'
    FROM events, webhooks WHERE NOT EXISTS
        (SELECT FROM deliveries WHERE deliveries.event_id = events.id);
UPDATE webhooks SET status = 'active'
