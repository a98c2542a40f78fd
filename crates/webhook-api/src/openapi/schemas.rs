//! Schemas: shared where they are equal, closed where they describe requests.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::{COMPONENTS, name_of, operations, parts};

/// Puts a reference in place of each copy of a component, so that a client has one type for a webhook, in
/// lists as elsewhere.
pub(super) fn refer_to_components(description: &mut Value) {
    let Value::Object(components) = description["components"]["schemas"].clone() else {
        return;
    };
    for schema in components_of(description) {
        // A component is no copy of itself: only its parts are looked at.
        for part in parts(schema) {
            refer(part, &components);
        }
    }
    for (_, operation) in operations(description) {
        refer(operation, &components);
    }
}

fn refer(schema: &mut Value, components: &Map<String, Value>) {
    let described = schema["description"].is_string();
    let same = components
        .iter()
        .find(|(_, component)| described && *component == schema);
    if let Some((name, _)) = same {
        *schema = json!({ "$ref": format!("{COMPONENTS}{name}") });
        return;
    }
    for part in parts(schema) {
        refer(part, components);
    }
}

/// Schemas of requests allow no further fields, at any depth.
pub(super) fn close_requests(description: &mut Value) {
    let components = description["components"]["schemas"].clone();
    let mut requests = BTreeSet::new();
    for (_, operation) in operations(description) {
        collect_names(&components, &operation["requestBody"], &mut requests);
    }
    for name in &requests {
        let schema = &mut description["components"]["schemas"][name];
        if schema["properties"].is_object() {
            schema["additionalProperties"] = false.into();
        }
    }
}

/// Names of the schemas behind the references of a part of the description, at every depth.
fn collect_names(components: &Value, part: &Value, names: &mut BTreeSet<String>) {
    if let Some(name) = name_of(part).filter(|name| names.insert((*name).to_owned())) {
        collect_names(components, &components[name], names);
    }
    match part {
        Value::Object(fields) => fields
            .values()
            .for_each(|part| collect_names(components, part, names)),
        Value::Array(parts) => parts
            .iter()
            .for_each(|part| collect_names(components, part, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn components_of(description: &mut Value) -> impl Iterator<Item = &mut Value> {
    let components = description["components"]["schemas"].as_object_mut();
    components.into_iter().flat_map(Map::values_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_a_component_becomes_a_reference() {
        let row = json!({ "description": "A row.", "type": "object" });
        let page = json!({ "properties": { "data": { "items": row, "type": "array" } } });
        let mut description = json!({ "components": { "schemas": { "Row": row, "Page": page } } });

        refer_to_components(&mut description);

        let schemas = &description["components"]["schemas"];
        let items = &schemas["Page"]["properties"]["data"]["items"];
        assert_eq!(*items, json!({ "$ref": "#/components/schemas/Row" }));
        assert_eq!(schemas["Row"], row);
    }

    #[test]
    fn a_request_is_closed_at_every_depth_and_a_response_stays_open() {
        let reference = |name| json!({ "$ref": format!("{COMPONENTS}{name}") });
        let inner = json!({ "properties": {} });
        let outer = json!({ "properties": { "inner": reference("Inner") } });
        let mut description = json!({
            "components": { "schemas": { "Inner": inner, "Outer": outer, "Answer": inner } },
            "paths": { "/": { "post": {
                "requestBody": { "schema": reference("Outer") }, "responses": reference("Answer")
            } } }
        });

        close_requests(&mut description);

        let closed = |name: &str| {
            description["components"]["schemas"][name]["additionalProperties"].is_boolean()
        };
        assert_eq!(
            ["Outer", "Inner", "Answer"].map(closed),
            [true, true, false]
        );
    }
}
