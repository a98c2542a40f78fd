//! The format of a webhook's requests and the template of `custom` in a document.

use webhook_domain::{BodyFormat, Format, Template};

use crate::fields::Fields;
use crate::patch::Patch;

/// The field with the name of the format.
const FORMAT: &str = "format";

/// The field with the template.
pub(in crate::webhooks) const TEMPLATE: &str = "template";

/// Takes `format` and `template` out of a document, over the webhook's `current` format. A template without a format
/// asks for `custom`; a template that the document leaves out stays while the format is `custom`.
pub(super) fn read_body_format(fields: &mut Fields<'_>, current: &mut BodyFormat) {
    let mut is_template_refused = false;
    let template = fields.patch(TEMPLATE, |fields, name| {
        let taken = take_template(fields, name);
        is_template_refused = taken.is_none();
        taken.flatten()
    });
    let format = fields.patch(FORMAT, |fields, name| fields.optional(name, str::parse));
    let format = match (format, &template) {
        (Patch::Set(format), _) => format,
        (Patch::Keep | Patch::Reset, Patch::Set(_)) => Format::Custom,
        (Patch::Reset, Patch::Keep | Patch::Reset) => Format::default(),
        (Patch::Keep, Patch::Keep | Patch::Reset) => current.format(),
    };
    let template = match template {
        Patch::Set(template) => Some(template),
        Patch::Reset => None,
        Patch::Keep => current
            .template()
            .filter(|_| format == Format::Custom)
            .cloned(),
    };
    match BodyFormat::new(format, template) {
        Ok(body) => *current = body,
        // A template with faults of its own is not missing.
        Err(_) if is_template_refused => {}
        Err(error) => fields.refuse(TEMPLATE, error),
    }
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
