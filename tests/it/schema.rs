//! The schema in the query builder and in the documentation, beside the migrated database.

use std::collections::BTreeSet;

use webhook_tests::World;

const SCHEMA: &str = concat!(
    include_str!("../../crates/webhook-store/src/schema.rs"),
    include_str!("../../crates/webhook-store/src/schema/statistics.rs"),
);
const PAGE: &str = include_str!("../../docs/schema.md");
const WRITE_PAGE: &str = include_str!("../../docs/schema.sql");

/// Lists the columns of the database, a line `table.column type` for each.
const COLUMNS: &str = include_str!("schema/columns.sql");

#[tokio::test(flavor = "multi_thread")]
async fn the_query_builder_knows_the_tables_of_the_database() {
    let world = World::new().await;

    let columns: String = world.database.ask(COLUMNS).await;

    let columns: BTreeSet<String> = columns.lines().map(str::to_owned).collect();
    let declared = declared();
    assert_eq!(declared.difference(&columns).next(), None, "only declared");
    assert_eq!(columns.difference(&declared).next(), None, "not declared");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_schema_agrees_with_the_database() {
    let world = World::new().await;

    let page: String = world.database.ask(WRITE_PAGE).await;

    assert!(PAGE.trim_end() == page.trim_end(), "see docs/schema.sql");
    world.end().await;
}

/// The columns of `schema.rs`, in the form of [`COLUMNS`].
fn declared() -> BTreeSet<String> {
    let mut columns = BTreeSet::new();
    let mut tables: Vec<&str> = Vec::new();
    for line in SCHEMA.lines().map(str::trim) {
        if let Some((table, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            tables = match table {
                "$table" => vec!["deliveries", "deliveries_pending", "deliveries_ended"],
                table => vec![table],
            };
        } else if let Some((column, sql_type)) =
            line.strip_suffix(",").and_then(|l| l.split_once(" -> "))
        {
            let sql_type = postgres_type(sql_type);
            columns.extend(tables.iter().map(|t| format!("{t}.{column} {sql_type}")));
        }
    }
    columns
}

/// The name in Postgres of a type of the query builder.
fn postgres_type(declared: &str) -> String {
    let Some((generic, inner)) = declared.trim_end_matches('>').split_once('<') else {
        let name = match declared {
            "Bool" => "boolean",
            "Bytea" => "bytea",
            "Float8" => "double precision",
            "Int2" => "smallint",
            "Int4" => "integer",
            "Int8" => "bigint",
            "Jsonb" => "jsonb",
            "Text" => "text",
            "Timestamptz" => "timestamp with time zone",
            "Uuid" => "uuid",
            unknown => panic!("a type {unknown}"),
        };
        return name.to_owned();
    };
    match (generic, inner) {
        ("Nullable", inner) => format!("{} null", postgres_type(inner)),
        ("Array", inner) => format!("{}[]", postgres_type(inner)),
        ("Code", _) => "smallint".to_owned(),
        ("Enum", "DeliveryStatus") => "delivery_status".to_owned(),
        ("Enum", "Environment") => "environment".to_owned(),
        ("Enum", "EventType") => "event_type".to_owned(),
        ("Id", _) => "uuid".to_owned(),
        ("Named", _) => "text".to_owned(),
        _ => panic!("a type {declared}"),
    }
}
