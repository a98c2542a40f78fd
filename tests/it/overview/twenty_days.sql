INSERT INTO environment_hours
SELECT 'production', date_trunc('hour', now()) - hours * interval '1 hour', event_type, worker, 5, 2, 3, 1
FROM generate_series(0, 479) AS hours,
     unnest(ARRAY['license.created', 'contract.created']::event_type[]) AS event_type,
     (SELECT gen_random_uuid() AS worker FROM generate_series(1, 2)) AS workers
