//! Answers of Teams workflows: the status alone, because the flow posts the card later.

use super::row::{Effect, Row};

/// The rows of Teams.
pub(super) const ROWS: &[Row] = &[
    Row::by_status(
        202..=202,
        "202",
        Effect::Taken,
        "accepted by the workflow. Whether the card was posted is shown in the run history of the \
         workflow only",
    ),
    Row::by_status(
        400..=400,
        "400",
        Effect::RefusedBytes,
        "the workflow could not read the message. Set the format to `teams`, or mend the template, \
         and retry the delivery",
    ),
    Row::by_status(
        401..=401,
        "401",
        Effect::Forbidden,
        "the workflow does not accept the signature in the URL. Copy the URL again in the workflow, \
         paste the URL, and activate the webhook",
    ),
    Row::by_status(
        403..=403,
        "403",
        Effect::Forbidden,
        "the workflow does not allow our requests. Let anyone trigger the workflow, then activate \
         the webhook",
    ),
    Row::by_status(
        404..=404,
        "404",
        Effect::NeverAgain,
        "the workflow was removed or turned off. Create a new workflow in Teams and paste the new URL",
    ),
    Row::by_status(
        408..=408,
        "408",
        Effect::ByStatus,
        "the workflow took too long. The delivery is retried by the retry policy",
    ),
    Row::by_status(
        410..=410,
        "410",
        Effect::NeverAgain,
        "the URL is retired. Create a workflow in Teams and paste the new URL",
    ),
    Row::by_status(
        429..=429,
        "429",
        Effect::ByStatus,
        "the workflow wants fewer messages. Select fewer event types, or give the webhook a lower \
         rate limit",
    ),
];
