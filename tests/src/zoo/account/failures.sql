-- The reasons of failed attempts and how often each came as JSON, by webhook.
SELECT coalesce(json_object_agg(webhook_id, reasons), '{}')::text FROM (
    SELECT webhook_id, json_object_agg(reason, attempts) AS reasons FROM (
        SELECT webhook_id, concat_ws(': ', failure_class, failure_detail) AS reason, count(*) AS attempts
        FROM attempts JOIN deliveries ON deliveries.id = delivery_id
        WHERE failure_class IS NOT NULL GROUP BY webhook_id, reason) AS r
    GROUP BY webhook_id) AS t
