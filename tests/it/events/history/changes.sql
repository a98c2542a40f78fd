-- Three changes in one transaction; the third is none that the history tells.
BEGIN;
UPDATE webhooks SET name = 'a', version = 2;
UPDATE webhooks SET name = 'b', version = 3;
UPDATE webhooks SET description = 'not told', version = 4;
CREATE TABLE last AS SELECT clock_timestamp() AS at;
COMMIT
