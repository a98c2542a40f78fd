//! The checks of rows: sealed secrets, signs of life, hosts of webhooks.

use std::collections::BTreeSet;

use url::Url;
use webhook_domain::{DispatcherTrouble, WebhookStatus};
use webhook_store::webhooks::{self, WebhookFilter};
use webhook_store::{PoolPurpose, RawConnection, SealingKeys, StoreError, dispatchers, secrets};

use super::finding::Finding;

/// Webhooks whose secrets are opened: a sample, the newest. 1,000 take some 20 ms.
const SAMPLE: i64 = 1_000;

/// Active webhooks whose hosts are looked up.
const MAX_HOSTS: i64 = 5;

/// The result of the checks.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) findings: Vec<Finding>,
    /// Hosts of the newest Active webhooks.
    pub(super) hosts: BTreeSet<String>,
}

impl Stored {
    pub(super) fn unchecked(reason: &str) -> Self {
        let areas = ["sealing keys", "dispatchers"];
        Self {
            findings: areas.map(|area| Finding::unchecked(area, reason)).to_vec(),
            hosts: BTreeSet::new(),
        }
    }
}

/// Reads the rows over a connection of its own.
pub(super) async fn check(database_url: &str, keys: &SealingKeys) -> Stored {
    match read(database_url, keys).await {
        Ok(stored) => stored,
        Err(error) => Stored::unchecked(&format!("{error:#}")),
    }
}

async fn read(database_url: &str, keys: &SealingKeys) -> anyhow::Result<Stored> {
    let pool = webhook_store::connect(database_url, 1, PoolPurpose::Management).await?;
    let mut connection = webhook_store::acquire(&pool).await?;
    let (tried, unopened) = secrets::try_open(&mut connection, keys, SAMPLE).await?;
    let (signs, now) = dispatchers::list_signs(&mut connection).await?;
    let findings = vec![
        judge_secrets(tried, unopened),
        judge_dispatchers(DispatcherTrouble::of(&signs, now), signs.len()),
    ];
    let hosts = list_hosts(&mut connection).await?;
    Ok(Stored { findings, hosts })
}

fn judge_secrets(tried: usize, unopened: usize) -> Finding {
    const AREA: &str = "sealing keys";
    if unopened == 0 {
        return Finding::fine(
            AREA,
            format!(
                "the keys open the secrets of the newest {tried} webhooks, a sample of {SAMPLE} at most"
            ),
        );
    }
    let told = format!(
        "no key opens the secrets of {unopened} webhooks, of the newest {tried}: their requests cannot be signed"
    );
    Finding::problem(AREA, told)
        .advise("put the key that sealed the secrets behind the others in WEBHOOK_SECRET_KEY")
}

fn judge_dispatchers(trouble: Option<DispatcherTrouble>, known: usize) -> Finding {
    const AREA: &str = "dispatchers";
    match trouble {
        None => Finding::fine(
            AREA,
            format!("dispatchers run and record; {known} gave a sign of life within the last hour"),
        ),
        Some(trouble) => {
            let since = trouble.since().map(|since| format!(", since {since:.0?}"));
            let told = format!("{}{}", trouble.message(), since.unwrap_or_default());
            Finding::problem(AREA, told).advise(trouble.advice())
        }
    }
}

async fn list_hosts(connection: &mut RawConnection) -> Result<BTreeSet<String>, StoreError> {
    let newest = WebhookFilter {
        status: Some(WebhookStatus::Active),
        limit: MAX_HOSTS,
        ..WebhookFilter::default()
    };
    let webhooks = webhooks::list(connection, &newest).await?;
    // Scheme, host and port of a secret URL are no secret.
    let urls = webhooks
        .iter()
        .filter_map(|webhook| webhook.settings.url.to_check().parse().ok());
    Ok(urls
        .filter_map(|url: Url| Some(url.host_str()?.to_owned()))
        .collect())
}
