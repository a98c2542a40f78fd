//! Whether the receiver behind the target URL takes the format of the requests.

use crate::{Format, UrlFormatWarning, WebhookSettings};

/// The format of a webhook's requests in a sentence, and the advice where the host of the URL refuses the format.
pub(crate) fn check_format(settings: &WebhookSettings) -> (&'static str, Option<&'static str>) {
    let requests = match settings.body.format() {
        Format::Json => "Requests have the event's JSON as body.",
        Format::Slack => "Requests are Slack messages.",
        Format::Discord => "Requests are Discord messages.",
        Format::Teams => "Requests are Teams cards.",
        Format::CloudEvents => "Requests are CloudEvents.",
        Format::Custom => "Requests have the body of the webhook's template.",
    };
    // A sealed URL that no key opens tells no fault; the finding about the deliveries does.
    let (known, format) = (settings.url.known(), settings.body.format());
    let warning = known.and_then(|url| format.warning_for(url.reveal().as_url()));
    (requests, warning.map(UrlFormatWarning::sentence))
}
