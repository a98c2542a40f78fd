-- A line `table.column type` for each column, with ` null` behind a type that may be null.
SELECT string_agg(format('%s.%s %s%s', relname, attname,
    format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN '' ELSE ' null' END), E'\n')
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
  -- The migrations that were applied: diesel's own table.
  AND relname <> '__diesel_schema_migrations' AND attnum > 0 AND NOT attisdropped
