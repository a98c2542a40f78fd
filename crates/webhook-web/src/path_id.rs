//! The id in a request's path, as a handler's argument.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::{FromRequest, HttpRequest, dev};
use webhook_admin::Refusal;
use webhook_domain::{
    ApiKeyId, DeliveryId, Environment, EventId, JobId, RejectedMessageId, WebhookId,
};

use crate::problem::Problem;

/// A value in a path, as the name of a resource.
pub trait PathName: FromStr {
    /// The resource's noun in "there is no such …".
    const NOUN: &'static str;
}

/// The value of a path's first parameter. A text of another form names no resource: 404.
pub struct PathId<T>(pub T);

impl<T: PathName> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let text = request.match_info().iter().next().map(|(_, text)| text);
        let id = text.and_then(|text| text.parse().ok());
        ready(id.map(Self).ok_or(Refusal::NotFound(T::NOUN).into()))
    }
}

impl PathName for WebhookId {
    const NOUN: &'static str = "webhook";
}

impl PathName for DeliveryId {
    const NOUN: &'static str = "delivery";
}

impl PathName for EventId {
    const NOUN: &'static str = "event";
}

impl PathName for RejectedMessageId {
    const NOUN: &'static str = "rejected message";
}

impl PathName for JobId {
    const NOUN: &'static str = "job";
}

impl PathName for ApiKeyId {
    const NOUN: &'static str = "API key";
}

impl PathName for Environment {
    const NOUN: &'static str = "environment";
}
