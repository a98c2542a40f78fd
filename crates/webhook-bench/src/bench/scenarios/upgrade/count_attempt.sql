INSERT INTO environment_hours AS known
VALUES ('production', date_trunc('hour', now()), 'license.created', '00000000-0000-0000-0000-000000000001', 1, 0, 1, 0)
ON CONFLICT (environment, hour, event_type, worker_id) DO UPDATE SET attempts = known.attempts + 1
