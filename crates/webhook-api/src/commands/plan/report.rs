//! The report of a plan or an import for people.

use std::fmt::Write;

use serde_json::Value;
use webhook_admin::webhooks::{FieldChange, ImportAction, ImportResult, ImportedWebhook};
use webhook_service::printable::printable;

/// A line for each webhook that is created or changed, with a line for each field, and the counts.
pub(super) fn report(result: &ImportResult) -> String {
    let mut text = String::new();
    for webhook in &result.webhooks {
        tell(webhook, &mut text);
    }
    let ImportResult {
        created,
        updated,
        unchanged,
        environment,
        ..
    } = result;
    let tense = if result.dry_run {
        "to create"
    } else {
        "created"
    };
    let changed = if result.dry_run {
        "to change"
    } else {
        "changed"
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{environment}: {created} {tense}, {updated} {changed}, {unchanged} left alone"
    );
    text
}

fn tell(webhook: &ImportedWebhook, text: &mut String) {
    let sign = match webhook.action {
        ImportAction::Create => '+',
        ImportAction::Update => '~',
        ImportAction::Unchanged => return,
    };
    let _ = writeln!(text, "{sign} {}", printable(&webhook.name));
    for (field, change) in &webhook.changes {
        let _ = writeln!(
            text,
            "    {field}: {}",
            shown(webhook.action, field, change)
        );
    }
    for header in &webhook.missing_headers {
        let header = printable(header);
        let _ = writeln!(
            text,
            "    header {header}: left out, as the file has no value"
        );
    }
}

fn shown(action: ImportAction, field: &str, change: &FieldChange) -> String {
    let FieldChange { from, to } = change;
    match (action, from == to) {
        // A secret is null on both sides, and secret URLs and headers may look the same.
        (ImportAction::Create, true) => "given by the file".to_owned(),
        (_, true) if field == "secret" => {
            "another one; the replaced secret signs for 24 hours".to_owned()
        }
        (_, true) => format!("another value, shown as {}", one_line(to)),
        (ImportAction::Create, false) => one_line(to),
        (_, false) => format!("{} -> {}", one_line(from), one_line(to)),
    }
}

/// JSON escapes line breaks; marks for the writing direction are left for us.
fn one_line(value: &Value) -> String {
    printable(&value.to_string())
}
