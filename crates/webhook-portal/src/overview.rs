//! The overview: all webhooks of an environment at once.

use std::borrow::Borrow;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::TimeDelta;
use webhook_admin::Connections;
use webhook_admin::overview::{OldestDueCache, Overview, ReadOverview, read_overview};
use webhook_domain::{Environment, WebhookHealth};
use webhook_web::Problem;

use crate::chart::bars::{BarChart, HEIGHT};
use crate::chart::span::Span;
use crate::duration_text::in_short;
use crate::filters::{self, group};
use crate::html::page;
use crate::query::Query;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    visit: Visit,
    query: Query,
    overview: Overview,
    span: Span,
    /// Deliveries that succeeded and failed.
    deliveries: BarChart,
    environments: &'static [Environment],
}

/// Shows the overview of an environment, of production at first.
pub(crate) async fn show_overview(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
    oldest_due: Data<OldestDueCache>,
) -> Result<HttpResponse, Problem> {
    let environment = query.text("environment").parse();
    let environment = environment.unwrap_or(Environment::Production);
    let span = Span::of(query.text("span"));
    let request = format!("environment={environment}&span={}", span.name());
    let request = ReadOverview::parse(&request)?;
    let overview = read_overview(&request, &connections, &oldest_due).await?;
    let spans = overview.data.iter();
    let spans = spans.map(|one| (one.start, one.counts.succeeded, one.counts.failed));
    let shown = OverviewPage {
        visit,
        query,
        deliveries: BarChart::of(spans),
        overview,
        span,
        environments: Environment::ALL,
    };
    page(&shown.visit, &shown)
}

impl OverviewPage {
    /// The list of an environment's webhooks with a health.
    fn list_of(&self, health: impl Borrow<WebhookHealth>) -> String {
        let (environment, health) = (self.overview.environment, health.borrow());
        format!("/admin/webhooks?environment={environment}&health={health}")
    }

    /// Whether a filter by a health finds webhooks.
    fn has(&self, health: impl Borrow<WebhookHealth>) -> bool {
        self.count(*health.borrow()) > 0
    }

    /// The number of webhooks that a filter by a health finds.
    fn count_of(&self, health: impl Borrow<WebhookHealth>) -> String {
        group(self.count(*health.borrow()))
    }

    fn count(&self, health: WebhookHealth) -> i64 {
        let found = health.found().iter();
        found.map(|one| self.overview.webhooks.get(*one)).sum()
    }

    /// The healths that some webhooks have.
    fn healths(&self) -> Vec<WebhookHealth> {
        let all = WebhookHealth::ALL.iter().copied();
        all.filter(|health| self.count(*health) > 0).collect()
    }

    /// The number of webhooks.
    fn webhooks(&self) -> String {
        let counts = self.overview.webhooks.iter();
        match counts.map(|(_, count)| count).sum() {
            1 => "1 webhook".to_owned(),
            count => format!("{} webhooks", group(count)),
        }
    }

    /// The number of deliveries that ended in the span.
    fn ended(&self) -> String {
        group(self.overview.total.deliveries())
    }

    /// Whether deliveries ended in the span.
    fn has_deliveries(&self) -> bool {
        self.overview.total.deliveries() > 0
    }
}

/// A share of attempts, as `failure_rate` of the API.
fn failure_rate(success_rate: &Option<f64>) -> Option<f64> {
    success_rate.map(|rate| 1.0 - rate)
}

/// Milliseconds, abbreviated: `4.2 s`.
fn measured(millis: &i32) -> String {
    in_short(TimeDelta::milliseconds((*millis).into()))
}
