CREATE TABLE exchanges_apart (
    started_at timestamptz NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    request_url text NOT NULL,
    request_headers text NOT NULL,
    response_headers text NOT NULL,
    response_body bytea NOT NULL,
    response_body_truncated boolean NOT NULL,
    PRIMARY KEY (started_at, delivery_id, number)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
INSERT INTO exchanges_apart
SELECT started_at, delivery_id, number, one.said ->> 'url', one.said ->> 'sent', one.said ->> 'got',
       CASE WHEN one.said -> 'body' IS NULL THEN decode(one.said ->> 'body_base64', 'base64')
            ELSE convert_to(one.said ->> 'body', 'UTF8') END,
       (one.said ->> 'truncated')::boolean
FROM attempts JOIN exchanges ON exchanges.id = exchange_id
CROSS JOIN LATERAL (SELECT exchanges.said::json -> exchange_place::integer) AS one (said);
ALTER TABLE attempts DROP COLUMN exchange_id, DROP COLUMN exchange_place;
DROP TABLE exchanges;
ALTER TABLE exchanges_apart RENAME TO exchanges;
ALTER TABLE exchanges RENAME CONSTRAINT exchanges_apart_pkey TO exchanges_pkey;
