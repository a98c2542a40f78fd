//! The default retry policy of each environment, with its schedule.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::Environment;
use webhook_store::retry_policies::find_default;

use crate::errors::{Entry, Errors};
use crate::filters::{self, label_of};
use crate::flash::Flash;
use crate::form::Form;
use crate::html::{page, page_with, redirect_with_flash};
use crate::retry_policy::PolicyForm;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::retry_policies::replace_retry_policy;
use webhook_web::{PathId, Problem};

const PATH: &str = "/admin/settings/retry-policies";

#[derive(Template)]
#[template(path = "settings/retry_policies.html")]
struct PoliciesPage {
    visit: Visit,
    policies: Vec<(Environment, PolicyForm)>,
}

#[derive(Template)]
#[template(path = "settings/edit_policy.html")]
struct PolicyPage {
    visit: Visit,
    environment: Environment,
    policy: PolicyForm,
    errors: Errors,
}

impl PolicyPage {
    /// The entries of the summary above the form.
    fn entries(&self) -> Vec<Entry> {
        self.errors.entries(|field| {
            let place = self.policy.place(field);
            place.unwrap_or_else(|| (label_of(field), field.to_owned()))
        })
    }
}

/// Shows the policy of each environment.
pub(crate) async fn show_policies(
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut policies = Vec::new();
    for environment in Environment::ALL {
        policies.push((*environment, read(*environment, &connections).await?));
    }
    let shown = PoliciesPage { visit, policies };
    page(&shown.visit, &shown)
}

/// Shows the form of an environment's policy.
pub(crate) async fn edit_policy(
    PathId(environment): PathId<Environment>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let shown = PolicyPage {
        visit,
        environment,
        policy: read(environment, &connections).await?,
        errors: Errors::default(),
    };
    page(&shown.visit, &shown)
}

/// Replaces the policy of an environment.
pub(crate) async fn replace_policy(
    PathId(environment): PathId<Environment>,
    visit: Visit,
    form: Form,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let typed = PolicyForm::sent(environment.as_str(), "", |name| form.text(name).to_owned());
    let problem = match typed.parse() {
        Ok(policy) => {
            replace_retry_policy(environment, &policy, &visit.caller, &connections).await?;
            let told = format!(
                "The retry policy of {} is saved. It applies to retries scheduled from now on.",
                environment.as_str()
            );
            return Ok(redirect_with_flash(PATH, &Flash::new(told)));
        }
        Err(problem) => problem,
    };
    let mut errors = Errors::of(problem)?;
    typed.reword(&mut errors);
    let shown = PolicyPage {
        visit,
        environment,
        policy: typed,
        errors,
    };
    page_with(shown.errors.status(), &shown.visit, &shown)
}

async fn read(environment: Environment, connections: &Connections) -> Result<PolicyForm, Problem> {
    let mut connection = connections.acquire().await?;
    let policy = find_default(&mut connection, environment).await?;
    Ok(PolicyForm::of(environment.as_str(), "", &policy))
}
