-- The counts of the attempts log as JSON, by webhook.
SELECT coalesce(json_object_agg(webhook_id, told), '{}')::text FROM (
    SELECT webhook_id, json_build_object('attempts', count(*), 'failed', count(failure_class),
        'sent_again', count(*) FILTER (
            WHERE split_part(said, E'\n', exchange_place + 1) LIKE '%"repeated":%'),
        'undelivered', count(DISTINCT delivery_id) FILTER (WHERE status <> 'succeeded')) AS told
    FROM attempts JOIN deliveries ON deliveries.id = delivery_id
    LEFT JOIN exchanges ON exchanges.id = exchange_id GROUP BY webhook_id) AS t
