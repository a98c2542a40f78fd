//! The format of a webhook's requests and the template of `custom` in a document.

use webhook_domain::{BodyFormat, Format, Template};

use crate::fields::Fields;

/// The field with the name of the format.
const FORMAT: &str = "format";

/// The field with the template.
pub(in crate::webhooks) const TEMPLATE: &str = "template";

/// Takes `format` and `template` out of a document, over the webhook's `current` format. A template without a format
/// asks for `custom`; a template that the document leaves out stays while the format is `custom`.
pub(super) fn read_body_format(fields: &mut Fields<'_>, current: &mut BodyFormat) {
    if !fields.has(FORMAT) && !fields.has(TEMPLATE) {
        return;
    }
    let given_template = fields
        .has(TEMPLATE)
        .then(|| take_template(fields, TEMPLATE));
    let default = match given_template {
        Some(Some(Some(_))) => Format::Custom,
        Some(_) | None => Format::default(),
    };
    let format = match fields.has(FORMAT) || default == Format::Custom {
        true => read_format(fields, default),
        false => Some(current.format()),
    };
    let template = given_template.unwrap_or_else(|| Some(kept_template(current, format)));
    // A wrong value is noted already.
    let (Some(format), Some(template)) = (format, template) else {
        return;
    };
    match BodyFormat::new(format, template) {
        Ok(body) => *current = body,
        Err(error) => fields.refuse(TEMPLATE, error),
    }
}

/// The format; `default` when left out or `null`. `None`: refused.
fn read_format(fields: &mut Fields<'_>, default: Format) -> Option<Format> {
    let mut is_wrong = false;
    let format = fields.optional(FORMAT, |text| {
        let parsed = text.parse::<Format>();
        is_wrong = parsed.is_err();
        parsed
    });
    (!is_wrong).then(|| format.unwrap_or(default))
}

fn kept_template(current: &BodyFormat, format: Option<Format>) -> Option<Template> {
    let stays = format == Some(Format::Custom);
    current.template().filter(|_| stays).cloned()
}

/// Takes out a template, with every fault and its place in the template. `Some(None)`: left out or `null`; `None`:
/// refused.
pub(in crate::webhooks) fn take_template(
    fields: &mut Fields<'_>,
    name: &str,
) -> Option<Option<Template>> {
    let Some(raw) = fields.take_raw(name) else {
        return Some(None);
    };
    // Generated clients know no field of several types.
    if !raw.get().starts_with('{') {
        fields.refuse(
            name,
            "must be an object; a body that is an array is written as {\"default\": […]}",
        );
        return None;
    }
    match Template::parse(raw.get()) {
        Ok(template) => Some(Some(template)),
        Err(errors) => {
            for error in errors.into_vec() {
                fields.refuse(name, error);
            }
            None
        }
    }
}
