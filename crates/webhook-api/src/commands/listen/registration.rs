//! The webhook of a session: registered at the API, deleted at the end. A session that was killed leaves its webhook
//! behind, for the next session on the machine to delete.

use std::fs;
use std::path::Path;
use std::process;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use url::Url;
use webhook_service::printable::printable;

/// How long the API may take. At Ctrl-C a person waits for the end.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// The metadata of the machine and of the process that made a webhook.
const HOST: &str = "listen_host";
const PROCESS: &str = "listen_process";
const PORT: &str = "listen_port";

/// The wishes for the webhook of a session.
pub(super) struct Wanted<'a> {
    pub(super) port: u16,
    pub(super) url: String,
    pub(super) environment: &'a str,
    pub(super) event_types: &'a [String],
}

/// The registered webhook of a session.
pub(super) struct Registration {
    api: Api,
    id: String,
    name: String,
    /// The webhook's secret.
    pub(super) secret: String,
}

impl Registration {
    /// Deletes what dead sessions left behind, and registers a webhook.
    pub(super) async fn begin(api: &Url, key: &str, wanted: &Wanted<'_>) -> anyhow::Result<Self> {
        let api = Api::at(api, key)?;
        let host = host_name()?;
        delete_left_over(&api, &host, wanted.port).await?;
        let name = format!("webhook-api listen on {host}, port {}", wanted.port);
        let webhook = json!({
            "name": name,
            "url": wanted.url,
            "environment": wanted.environment,
            "event_types": wanted.event_types,
            "metadata": {HOST: host, PROCESS: process::id().to_string(), PORT: wanted.port.to_string()},
        });
        let created = api.ask(Method::POST, "", Some(&webhook)).await;
        let created = created.context("cannot register a webhook")?;
        let text = |field: &str| created[field].as_str().map(str::to_owned);
        let (Some(id), Some(secret)) = (text("id"), text("secret")) else {
            bail!("cannot register a webhook: the API's response has no id or no secret");
        };
        println!(
            "registered the webhook {name:?} for {} of {}",
            wanted.event_types.join(", "),
            wanted.environment
        );
        Ok(Self {
            api,
            id,
            name,
            secret,
        })
    }

    /// Deletes the webhook.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        let deleted = self
            .api
            .ask(Method::DELETE, &format!("/{}", self.id), None)
            .await;
        deleted.with_context(|| format!("cannot delete the webhook {:?}", self.name))?;
        println!("deleted the webhook {:?}", self.name);
        Ok(())
    }
}

/// Deletes the webhooks of sessions on this machine that do not run any more.
async fn delete_left_over(api: &Api, host: &str, port: u16) -> anyhow::Result<()> {
    let listed = api
        .ask(Method::GET, "?search=webhook-api%20listen&limit=200", None)
        .await;
    let listed = listed.context("cannot look for webhooks of earlier sessions")?;
    let webhooks = listed["data"].as_array().into_iter().flatten();
    for webhook in webhooks.filter(|webhook| is_left_over(&webhook["metadata"], host, port)) {
        let id = webhook["id"].as_str().unwrap_or_default();
        let deleted = api.ask(Method::DELETE, &format!("/{id}"), None).await;
        deleted.context("cannot delete the webhook of an earlier session")?;
        println!(
            "deleted the webhook {} of an earlier session",
            webhook["name"]
        );
    }
    Ok(())
}

/// Whether a session on this machine made the webhook and has ended.
fn is_left_over(metadata: &Value, host: &str, port: u16) -> bool {
    let process = metadata[PROCESS].as_str().unwrap_or_default();
    // The port is ours, so no other session has the port. A number may belong to a new process by now: the
    // webhook then stays until its port is used again.
    let is_over =
        metadata[PORT] == port.to_string().as_str() || !Path::new("/proc").join(process).exists();
    metadata[HOST] == host && is_over
}

fn host_name() -> anyhow::Result<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname");
    Ok(name
        .context("cannot read the name of this machine")?
        .trim()
        .to_owned())
}

/// The webhooks of the API.
struct Api {
    webhooks: String,
    key: String,
    client: Client,
}

impl Api {
    fn at(url: &Url, key: &str) -> anyhow::Result<Self> {
        let base = url
            .as_str()
            .trim_end_matches('/')
            .trim_end_matches("/api/v1");
        let client = Client::builder().timeout(ANSWERS_WITHIN).build();
        Ok(Self {
            webhooks: format!("{base}/api/v1/webhooks"),
            key: key.trim().to_owned(),
            client: client.context("cannot make an HTTP client")?,
        })
    }

    /// Sends a request, and returns the JSON of the response, or the problem in a sentence.
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.webhooks);
        let mut request = self.client.request(method, url).bearer_auth(&self.key);
        if let Some(body) = body {
            let json = ("content-type", "application/json");
            request = request.header(json.0, json.1).body(body.to_string());
        }
        let response = request.send().await.context("the API does not answer")?;
        let status = response.status();
        let body = response
            .bytes()
            .await
            .context("the API broke off the response")?;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(body);
        }
        bail!("the API answered {status}{}", problem(&body))
    }
}

/// The words of a problem (RFC 9457), with a line for each field.
fn problem(body: &Value) -> String {
    let text = |value: &Value| printable(value.as_str().unwrap_or_default());
    let errors = body["errors"].as_array().into_iter().flatten();
    let fields =
        errors.map(|error| format!("\n  {}: {}", text(&error["field"]), text(&error["reason"])));
    let fields: String = fields.collect();
    let hint = match fields.contains("\n  url: ") {
        true => "\n  (a URL that dispatchers can reach is given by --url, as of a tunnel)",
        false => "",
    };
    format!(": {}{fields}{hint}", text(&body["detail"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_of_a_dead_session_or_of_our_port_is_left_over() {
        let of = |host: &str, process: &str, port: &str| json!({HOST: host, PROCESS: process, PORT: port});
        let alive = process::id().to_string();

        assert!(is_left_over(&of("here", "4294967295", "1"), "here", 8090));
        assert!(is_left_over(&of("here", &alive, "8090"), "here", 8090));
        assert!(!is_left_over(&of("here", &alive, "1"), "here", 8090));
        assert!(!is_left_over(
            &of("there", "4294967295", "8090"),
            "here",
            8090
        ));
        assert!(!is_left_over(&json!({}), "here", 8090));
    }
}
