-- Ages API keys, and makes some of them revoked, unused or about to expire.
UPDATE api_keys SET created_at = now() - interval '200 days',
    last_used_at = now() - interval '1 minute' * length(name) ^ 2;
UPDATE api_keys SET revoked_at = now() - interval '9 days' WHERE name LIKE 'Terraform%';
UPDATE api_keys SET last_used_at = NULL WHERE name LIKE 'Dashboard%';
UPDATE api_keys SET expires_at = now() + interval '6 days' WHERE name LIKE 'Contractor%'
