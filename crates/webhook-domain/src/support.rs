//! Support: answers to "why did my webhook not get this event?" and "why does my verifier say no?".

pub(crate) mod advice;
pub(crate) mod diagnosis;
pub(crate) mod explanation;
pub(crate) mod signature_check;
pub(crate) mod url_report;
