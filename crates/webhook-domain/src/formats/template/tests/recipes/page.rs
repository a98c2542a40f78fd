//! Reads a page of `docs/recipes/`.

use super::services::Service;
use crate::{EventPattern, EventSelection, EventType, Template};

/// The folder of the recipes.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recipes");

/// A page: the first block of JSON is the template, the second the example's body.
pub(super) struct Page {
    pub(super) template: Template,
    /// The types of the row "Event Selection".
    pub(super) selected: Vec<EventType>,
    /// The type in the heading of the example.
    pub(super) example_type: EventType,
    pub(super) example: Template,
}

impl Page {
    pub(super) fn of(service: Service) -> Self {
        let text = read(service.file());
        let blocks: Vec<&str> = text
            .split("```json\n")
            .skip(1)
            .filter_map(up_to_fence)
            .collect();
        let [template, example] = blocks[..] else {
            panic!("{service:?} has {} blocks of JSON", blocks.len());
        };
        assert!(
            !example.contains("{{"),
            "{service:?}: the example has a placeholder"
        );
        let heading = text
            .split("## Example: `")
            .nth(1)
            .and_then(|rest| rest.split('`').next());
        Self {
            template: Template::parse(template).expect("a template"),
            selected: selected(&text),
            example_type: heading.expect("a heading").parse().expect("an event type"),
            example: Template::parse(example).expect("JSON"),
        }
    }
}

/// The text of a page.
pub(super) fn read(file: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{file}")).expect("a page")
}

/// The names of all pages but the index.
pub(super) fn files() -> Vec<String> {
    let entries = std::fs::read_dir(FOLDER).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "README.md").collect()
}

fn up_to_fence(block: &str) -> Option<&str> {
    block.split("\n```").next()
}

fn selected(text: &str) -> Vec<EventType> {
    let row = text
        .lines()
        .find(|line| line.starts_with("| Event Selection |"));
    let quoted = row.expect("a row").split('`').skip(1).step_by(2);
    let patterns = quoted.map(|pattern| pattern.parse::<EventPattern>().expect("a pattern"));
    EventSelection::new(patterns)
        .expect("a selection")
        .types()
        .collect()
}
