-- What was said in the attempts that are recorded together is one row: a row for each attempt was the
-- largest part of what a delivery writes, and repeats itself.
ALTER TABLE exchanges RENAME TO exchanges_apart;
ALTER TABLE exchanges_apart RENAME CONSTRAINT exchanges_pkey TO exchanges_apart_pkey;
CREATE TABLE exchanges (
    id uuid PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    said text NOT NULL
);
COMMENT ON TABLE exchanges IS 'requests and answers of attempts that were recorded together; a request''s body is the event''s';
COMMENT ON COLUMN exchanges.id IS 'UUID v7';
COMMENT ON COLUMN exchanges.said IS 'JSON array of objects: url; sent: headers as [name, value], null for a value that is secret; got: headers; body, or body_base64 where it is no UTF-8: the first 16 KiB; truncated';
-- Compressed as fast as may be; where Postgres was built without, as it does by itself.
DO $$
BEGIN
    ALTER TABLE exchanges ALTER COLUMN said SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'lz4 is not available: %', SQLERRM;
END $$;
ALTER TABLE exchanges SET (autovacuum_vacuum_scale_factor = 0.02);

ALTER TABLE attempts
    ADD COLUMN exchange_id uuid,
    ADD COLUMN exchange_place smallint;
COMMENT ON COLUMN attempts.exchange_id IS 'where what was said is kept, for as long as it is';
COMMENT ON COLUMN attempts.exchange_place IS 'from 0, in the array there';

CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT started_at, delivery_id, number, (place % 100)::smallint AS place,
       (lpad(to_hex((extract(epoch FROM started_at) * 1000)::bigint), 12, '0')
           || '70008' || lpad(to_hex(place / 100), 15, '0'))::uuid AS id
FROM (SELECT *, row_number() OVER (ORDER BY started_at, delivery_id, number) - 1 AS place
      FROM exchanges_apart) AS numbered;
UPDATE placed SET id = first.id
FROM (SELECT DISTINCT ON (right(id::text, 12)) right(id::text, 12) AS group_of, id
      FROM placed ORDER BY right(id::text, 12), place) AS first
WHERE first.group_of = right(placed.id::text, 12);
INSERT INTO exchanges
SELECT placed.id, min(started_at), json_agg(json_build_object(
           'url', request_url, 'sent', request_headers::json, 'got', response_headers::json,
           'body_base64', translate(encode(response_body, 'base64'), E'\n', ''),
           'truncated', response_body_truncated) ORDER BY place)::text
FROM placed JOIN exchanges_apart USING (started_at, delivery_id, number) GROUP BY placed.id;
UPDATE attempts SET exchange_id = placed.id, exchange_place = placed.place
FROM placed WHERE (attempts.started_at, attempts.delivery_id, attempts.number)
    = (placed.started_at, placed.delivery_id, placed.number);
DROP TABLE exchanges_apart;
