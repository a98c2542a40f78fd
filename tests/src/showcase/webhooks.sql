-- Webhooks were created 90 to 180 days ago and changed 40 to 80 days ago.
UPDATE webhooks SET created_at = now() - interval '90 days' * (1 + get_byte(uuid_send(id), 15) / 256.0),
    updated_at = now() - interval '40 days' * (1 + get_byte(uuid_send(id), 14) / 256.0);
UPDATE webhook_history SET valid_until = now() - interval '90 days' WHERE version = 0;
UPDATE webhook_history SET valid_from = now() - interval '90 days' WHERE version > 0;
