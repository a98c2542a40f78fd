-- Writes docs/schema.md from a migrated database:
--
--     psql -At "$DATABASE_URL" -f docs/schema.sql > docs/schema.md
--
-- The test `the_page_of_the_schema_is_what_the_database_says` holds that the page is up to date.
WITH tables AS (
    SELECT class.oid, relname AS name, relispartition AS is_partition,
           obj_description(class.oid, 'pg_class') AS comment
    FROM pg_class AS class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
      -- The migrations that were applied: diesel's own table.
      AND relname <> '__diesel_schema_migrations'
), columns AS (
    SELECT attrelid AS table_oid, string_agg(
        format('| `%s` | %s%s | %s |', attname, format_type(atttypid, atttypmod),
            CASE WHEN attnotnull THEN '' ELSE ', null' END, col_description(attrelid, attnum)),
        E'\n' ORDER BY attnum) AS lines
    FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
    GROUP BY attrelid
), indexes AS (
    SELECT indrelid AS table_oid, string_agg(
        format('| `%s` | %s%s | %s |', class.relname, CASE WHEN indisunique THEN 'unique ' ELSE '' END,
            substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)$'),
            obj_description(indexrelid, 'pg_class')),
        E'\n' ORDER BY NOT indisprimary, class.relname) AS lines
    FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid
    -- Postgres names the parts of an index that spans partitions itself.
    WHERE class.relname !~ '_idx$'
    GROUP BY indrelid
), sections AS (
    SELECT name, format(E'## %s\n\n%s\n', name, comment)
        || CASE WHEN is_partition THEN E'\nThe columns are those of `deliveries`.\n'
           ELSE format(E'\n| column | type | meaning |\n| --- | --- | --- |\n%s\n', columns.lines) END
        || format(E'\n| index | on | serves |\n| --- | --- | --- |\n%s\n', indexes.lines) AS section
    FROM tables
    JOIN columns ON columns.table_oid = tables.oid
    LEFT JOIN indexes ON indexes.table_oid = tables.oid
)
SELECT E'# The schema\n\nWritten by `docs/schema.sql` from a migrated database; edit the comments in a migration, not this page.\n\n'
    || replace(string_agg(section, E'\n' ORDER BY name), '<', '&lt;')
FROM sections
