//! Support: the answers to "why did the event not arrive?" and "why does my verifier refuse the
//! request?".

pub(crate) mod advice;
pub(crate) mod diagnosis;
pub(crate) mod dispatcher_check;
pub(crate) mod explanation;
mod format_check;
pub(crate) mod signature_check;
pub(crate) mod url_report;
