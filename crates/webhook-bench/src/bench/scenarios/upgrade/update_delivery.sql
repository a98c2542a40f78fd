UPDATE deliveries_ended SET attempts = attempts
WHERE id = (SELECT id FROM deliveries_ended ORDER BY id LIMIT 1)
