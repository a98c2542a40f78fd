ALTER TABLE attempts RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE deliveries RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE events RESET (autovacuum_vacuum_scale_factor);
DROP INDEX events_by_age;
DROP TABLE retention_sweep, settings;
