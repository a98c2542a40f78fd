//! The parts of `data` that a body needs, read from an event in one walk.

use serde_json::value::RawValue;

use super::value::Value;
use crate::Event;
use crate::formats::json_view::{data_of, walk_data, walk_elements, walk_fields};

/// A tree of all paths below `data`. Each path has a slot: the index of its value among the values read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DataPaths {
    root: Node,
    slots: usize,
}

/// A place in `data`: its own slot if a path ends at the place, and the fields or elements below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    slot: Option<usize>,
    children: Vec<Child>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Child {
    name: Box<str>,
    /// The name as the index of an element. `None`: no number, or digits behind a zero.
    index: Option<usize>,
    node: Node,
}

impl DataPaths {
    /// Adds a path, unless the tree has the path already, and returns its slot.
    pub(super) fn add(&mut self, parts: &[String]) -> usize {
        let mut node = &mut self.root;
        for part in parts {
            let place = node.children.iter().position(|child| *child.name == **part);
            let place = place.unwrap_or_else(|| {
                node.children.push(Child::new(part));
                node.children.len() - 1
            });
            node = &mut node.children[place].node;
        }
        *node.slot.get_or_insert_with(|| {
            self.slots += 1;
            self.slots - 1
        })
    }

    /// The values of all paths in an event, by slot. Without paths, the event's JSON is not read.
    pub(super) fn read<'a>(&self, event: &'a Event) -> Vec<Value<'a>> {
        let mut values = self.nothing();
        if self.root.slot.is_some() {
            // The whole of `data` is a value itself: the text is needed before its fields.
            if let Some(data) = data_of(event) {
                self.root.read(data, &mut values);
            }
        } else if self.slots > 0 {
            let wanted = |name: &str| self.root.child(name).is_some();
            walk_data(event, &wanted, &mut |name, value| {
                self.root.read_field(name, value, &mut values);
            });
        }
        values
    }

    /// The values of all paths in a `data` without its event, by slot.
    pub(super) fn read_data<'a>(&self, data: &'a RawValue) -> Vec<Value<'a>> {
        let mut values = self.nothing();
        self.root.read(data, &mut values);
        values
    }

    fn nothing<'a>(&self) -> Vec<Value<'a>> {
        vec![Value::Missing; self.slots]
    }
}

impl Child {
    fn new(name: &str) -> Self {
        let index = name
            .parse()
            .ok()
            .filter(|index: &usize| index.to_string() == name);
        let (name, node) = (name.into(), Node::default());
        Self { name, index, node }
    }
}

impl Node {
    fn read<'a>(&self, raw: &'a RawValue, values: &mut [Value<'a>]) {
        if let Some(slot) = self.slot {
            values[slot] = Value::of(raw);
        }
        if self.children.is_empty() {
            return;
        }
        // Of a repeated field the last value counts: nothing of an earlier value may remain.
        self.forget_below(values);
        match raw.get().as_bytes().first() {
            Some(b'{') => walk_fields(raw, &mut |name, value| self.read_field(name, value, values)),
            Some(b'[') => self.read_elements(raw, values),
            Some(_) | None => {}
        }
    }

    fn read_field<'a>(&self, name: &str, value: &'a RawValue, values: &mut [Value<'a>]) {
        if let Some(node) = self.child(name) {
            node.read(value, values);
        }
    }

    fn child(&self, name: &str) -> Option<&Self> {
        let child = self.children.iter().find(|child| *child.name == *name);
        child.map(|child| &child.node)
    }

    fn read_elements<'a>(&self, raw: &'a RawValue, values: &mut [Value<'a>]) {
        let indexes = self
            .children
            .iter()
            .filter_map(|child| Some((child.index?, &child.node)));
        let mut wanted: Vec<(usize, &Node)> = indexes.collect();
        wanted.sort_unstable_by_key(|(index, _)| *index);
        let mut wanted = wanted.into_iter().peekable();
        walk_elements(raw, &mut |index, value| {
            if let Some((_, node)) = wanted.next_if(|(wanted, _)| *wanted == index) {
                node.read(value, values);
            }
        });
    }

    fn forget_below(&self, values: &mut [Value<'_>]) {
        for Child { node, .. } in &self.children {
            if let Some(slot) = node.slot {
                values[slot] = Value::Missing;
            }
            node.forget_below(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::fields("b.c", r#"{"a":0,"b":{"c":1}}"#, Some("1"))]
    #[case::element("b.1.c", r#"{"b":[0,{"c":2}]}"#, Some("2"))]
    #[case::name_of_digits("b.1", r#"{"b":{"1":"x"}}"#, Some("x"))]
    #[case::no_index("b.01", r#"{"b":[0,1]}"#, None)]
    #[case::beyond_the_end("b.2", r#"{"b":[0,1]}"#, None)]
    #[case::below_a_scalar("b.c", r#"{"b":1e400}"#, None)]
    #[case::repeated("b.c", r#"{"b":{"c":1},"b":{"c":2}}"#, Some("2"))]
    #[case::replaced("b.c", r#"{"b":{"c":1},"b":2}"#, None)]
    #[case::escaped("é", r#"{"\u00e9":1}"#, Some("1"))]
    fn a_path_is_read(#[case] path: &str, #[case] data: &str, #[case] expected: Option<&str>) {
        let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        let mut paths = DataPaths::default();
        let slot = paths.add(&parts);

        let values = paths.read_data(serde_json::from_str(data).expect("JSON"));

        assert_eq!(values[slot].clone().into_text().as_deref(), expected);
    }

    #[test]
    fn one_walk_reads_a_value_and_its_parts() {
        let mut paths = DataPaths::default();
        let slots = [
            vec![],
            vec!["a".to_owned()],
            vec!["a".into(), "1".into()],
            vec!["a".into()],
        ];

        let slots = slots.map(|parts| paths.add(&parts));
        let values = paths.read_data(serde_json::from_str(r#"{"a":[true,null]}"#).expect("JSON"));

        assert_eq!(slots, [0, 1, 2, 1]);
        assert_eq!(values[0], Value::Json(r#"{"a":[true,null]}"#.into()));
        assert_eq!(values[1], Value::Json("[true,null]".into()));
        assert_eq!(values[2], Value::Null);
    }
}
