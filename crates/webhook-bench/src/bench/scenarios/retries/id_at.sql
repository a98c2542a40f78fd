-- UUIDs v7: the first 48 bits are the time.
CREATE FUNCTION pg_temp.id_at(n bigint) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0')
        || '70008' || lpad(to_hex(n), 15, '0'))::uuid
$$;
