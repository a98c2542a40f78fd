//! A description for every response, which OpenAPI requires.

use serde_json::Value;

use super::document::{name_of, operations};

/// Says what a response without content means.
const NO_BODY: &str = "The request succeeded; the response has no body.";

/// Gives each response without a description the description of its body's schema. A body without a named
/// schema needs a description at its handler.
pub(super) fn describe_responses(description: &mut Value) {
    let components = description["components"]["schemas"].clone();
    for (_, operation) in operations(description) {
        let responses = operation["responses"].as_object_mut();
        for response in responses.into_iter().flat_map(|all| all.values_mut()) {
            if response.get("$ref").is_none() && response.get("description").is_none() {
                response["description"] = about(response, &components).into();
            }
        }
    }
}

fn about(response: &Value, components: &Value) -> String {
    let media_types = response["content"].as_object().into_iter().flatten();
    let mut names = media_types.filter_map(|(_, media_type)| name_of(&media_type["schema"]));
    let text = names
        .next()
        .and_then(|name| components[name]["description"].as_str());
    text.unwrap_or(NO_BODY).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_response_is_described_by_its_body_unless_by_its_own_words() {
        let body =
            json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Row" } } });
        let mut description = json!({
            "components": { "schemas": { "Row": { "description": "A row." } } },
            "paths": { "/": { "get": { "responses": {
                "200": { "content": body }, "201": { "description": "Own words." }, "204": {},
                "404": { "$ref": "#/components/responses/NotFound" }
            } } } }
        });

        describe_responses(&mut description);

        let text = |status: &str| {
            let responses = &description["paths"]["/"]["get"]["responses"];
            responses[status]["description"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(
            ["200", "201", "404"].map(text),
            ["A row.", "Own words.", ""]
        );
        assert_eq!(text("204"), NO_BODY);
    }
}
