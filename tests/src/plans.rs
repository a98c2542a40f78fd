use std::path::Path;

use serde_json::Value;

/// Tables that grow with every event.
const LARGE: [&str; 3] = ["deliveries_ended", "events", "attempts"];

/// Query of a database URL: Postgres writes the plan of each statement to the log.
pub const EXPLAIN_ALL: &str = "options=-csession_preload_libraries%3Dauto_explain\
    %20-cauto_explain.log_min_duration%3D0%20-cauto_explain.log_format%3Djson";

/// How Postgres ran a statement.
#[derive(Debug)]
pub struct Plan {
    /// The SQL of the statement.
    pub text: String,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    kind: String,
    table: Option<String>,
}

impl Plan {
    /// The plans behind the first `skip` bytes of a log, of statements that read a large table.
    pub fn read(log: &Path, skip: usize) -> Vec<Self> {
        let log = std::fs::read(log).expect("Postgres writes a log");
        let text = String::from_utf8_lossy(&log[skip..]);
        let plans = text.split("  plan:\n").skip(1).filter_map(Self::parse);
        plans
            .filter(|plan| plan.nodes.iter().any(Node::is_of_large_table))
            .collect()
    }

    /// Parses a log message, whose lines begin with a tab but for the first. `None` when the message
    /// is not complete yet.
    fn parse(message: &str) -> Option<Self> {
        let lines = message.lines().map_while(|line| line.strip_prefix('\t'));
        let logged: Value = serde_json::from_str(&lines.collect::<String>()).ok()?;
        let mut nodes = Vec::new();
        collect(&logged["Plan"], &mut nodes);
        let text = logged["Query Text"].as_str()?.to_owned();
        Some(Self { text, nodes })
    }

    /// Whether every large table was read through an index.
    pub fn goes_by_index(&self) -> bool {
        let reads_all = |node: &Node| node.kind == "Seq Scan" && node.is_of_large_table();
        let by_index = |node: &Node| {
            let kinds = ["Index Scan", "Index Only Scan", "Bitmap Index Scan"];
            kinds.contains(&node.kind.as_str())
        };
        !self.nodes.iter().any(reads_all) && self.nodes.iter().any(by_index)
    }
}

impl Node {
    fn is_of_large_table(&self) -> bool {
        let table = self.table.as_deref();
        table.is_some_and(|table| LARGE.contains(&table))
    }
}

/// Collects a node of a plan and the nodes below. A parallel node has the name of the plain node.
fn collect(node: &Value, nodes: &mut Vec<Node>) {
    let text = |name: &str| node[name].as_str().map(str::to_owned);
    nodes.push(Node {
        kind: text("Node Type").unwrap_or_default(),
        table: text("Relation Name"),
    });
    for below in node["Plans"].as_array().into_iter().flatten() {
        collect(below, nodes);
    }
}
