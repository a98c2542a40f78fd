//! Ways through an OpenAPI document in JSON.

use serde_json::Value;

/// The path of a schema's reference, before the name.
pub(super) const COMPONENTS: &str = "#/components/schemas/";

/// The operations of a description, each with its path and method.
pub(super) fn operations(json: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let paths = json["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, operations)| {
        let operations = operations.as_object_mut().into_iter().flatten();
        operations.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

/// The name of the schema behind a reference.
pub(super) fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix(COMPONENTS)
}

/// The values directly inside a value.
pub(super) fn parts(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::Object(fields) => Box::new(fields.values_mut()),
        Value::Array(parts) => Box::new(parts.iter_mut()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Box::new(std::iter::empty())
        }
    }
}
