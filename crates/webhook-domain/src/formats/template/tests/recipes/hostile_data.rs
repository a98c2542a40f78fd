//! Data of events that a publisher did not mean well, or did not fill.

use crate::formats::json_view::walk_fields;
use crate::formats::test_events::raw;

/// Values in place of every field of an example. Lone surrogates and deep nesting are left out: `{{data}}`
/// inserts both as published, and no strict reader of JSON takes them.
pub(super) const HOSTILE_VALUES: [&str; 9] = [
    "null",
    "true",
    "1e300",
    "123456789012345678901234567890",
    r#"{"id":"lic_42","name":{"deep":[1,2,{"x":"y"}]}}"#,
    r#"[{"id":1},"two",null]"#,
    r#""\u0000\u0001\u001b[31m\r\n\t\"\\\/ </script> {{id}} \u202e""#,
    r#""<!channel> <https://evil.example|x> [x](https://evil.example) @here""#,
    r#"" ""#,
];

/// An example with every value replaced.
pub(super) fn with_values(example: &str, value: &str) -> String {
    let mut fields = Vec::new();
    walk_fields(&raw(example), &mut |name, _| {
        fields.push(format!("\"{name}\":{value}"));
    });
    format!("{{{}}}", fields.join(","))
}
