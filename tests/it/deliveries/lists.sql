-- 600 deliveries to the webhooks {webhooks}, of all statuses, responses, environments and types.
INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, last_answer, next_attempt_at)
SELECT gen_random_uuid(), gen_random_uuid(), (ARRAY[{webhooks}]::uuid[])[1 + n % 2],
       (enum_range(NULL::event_type))[1 + n % 21], (enum_range(NULL::environment))[1 + n % 3],
       (enum_range(NULL::delivery_status))[1 + n % 4],
       (ARRAY[0, 4, 200, 500, 503])[1 + n % 5], CASE WHEN n % 4 = 0 THEN now() + interval '1 day' END
FROM generate_series(1, 600) AS n
