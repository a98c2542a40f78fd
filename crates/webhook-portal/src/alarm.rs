//! The alarm at the top of every page: no dispatcher runs, or results are not recorded. Then all statuses and
//! figures below are out of date.

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use webhook_admin::Connections;
use webhook_admin::dispatchers::DispatcherWatch;
use webhook_domain::DispatcherTrouble;

use super::filters::as_sentence;

/// The trouble of dispatchers, in sentences.
pub(crate) struct Alarm {
    /// The trouble.
    pub(crate) message: String,
    /// The advice for operators.
    pub(crate) advice: String,
    /// The begin of the trouble. `None`: no dispatcher has ever run.
    pub(crate) since: Option<DateTime<Utc>>,
}

impl Alarm {
    /// The alarm at this moment.
    pub(super) async fn of(request: &HttpRequest) -> Option<Self> {
        let watch = request.app_data::<Data<DispatcherWatch>>()?;
        let connections = request.app_data::<Data<Connections>>()?;
        // While Postgres is away the page itself says so.
        let trouble = watch.trouble(connections).await.ok()?;
        trouble.map(Self::from)
    }
}

impl From<DispatcherTrouble> for Alarm {
    fn from(trouble: DispatcherTrouble) -> Self {
        Self {
            message: as_sentence(trouble.message()),
            advice: as_sentence(trouble.advice()),
            since: trouble.since(),
        }
    }
}
