-- The facts about the server, the database and the user of the session, in a single row.
SELECT
    current_setting('server_version') AS version,
    pg_encoding_to_char(database.encoding) AS encoding,
    current_setting('transaction_read_only') AS read_only,
    -- The least of the limits counts; a limit of -1 is none, and least() passes over nulls.
    least(
        current_setting('max_connections')::bigint
            - current_setting('superuser_reserved_connections')::bigint
            - coalesce(current_setting('reserved_connections', true)::bigint, 0),
        nullif(database.datconnlimit, -1),
        nullif(role.rolconnlimit, -1)
    ) AS connection_limit,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS microseconds,
    -- An empty schema belongs to whoever may create tables there.
    has_schema_privilege(current_schema(), 'CREATE')
        AND coalesce((
            SELECT bool_and(pg_has_role(tables.relowner, 'USAGE'))
            FROM pg_class AS tables
            WHERE tables.relnamespace = current_schema()::regnamespace AND tables.relkind IN ('r', 'p')
        ), true) AS may_migrate
FROM pg_database AS database, pg_roles AS role
WHERE database.datname = current_database() AND role.rolname = current_user
