//! What an admin decides about a webhook, as it is sent: to make one, to replace one, to change
//! parts of one (a JSON merge patch, RFC 7396). The [documents](super::documents) say so to clients.

use webhook_domain::{
    CustomHeaders, Environment, EventSelection, HeaderName, HeaderSecret, HeaderValue, Metadata,
    Serving, SigningSecret, WebhookDescription, WebhookName, WebhookSettings, WebhookStatus,
    WebhookUrl,
};

use serving::read_serving;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::url_rules::UrlRules;

mod serving;

/// The most bytes that a webhook in JSON may have: all its headers and metadata are inside.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// What a header or a pair without a value means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NoValue {
    /// It is a mistake.
    Refused,
    /// It is to go.
    Removes,
    /// The stored value stays; only an import says so.
    Stays,
}

/// Reads a webhook to be made, and its secret if it was given.
pub(super) fn parse_new(
    body: &[u8],
    rules: &UrlRules,
) -> Result<(WebhookSettings, Option<SigningSecret>), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let settings = Draft::default().read(&mut fields, rules, NoValue::Refused);
    let secret = fields.optional("secret", SigningSecret::parse);
    let errors = fields.finish();
    match settings {
        Some(settings) if errors.is_empty() => Ok((settings, secret)),
        _ => Err(Refusal::Invalid(errors)),
    }
}

/// Reads what takes the place of all settings.
pub(super) fn parse_replacement(body: &[u8], rules: &UrlRules) -> Result<WebhookSettings, Refusal> {
    read_all(body, Draft::default(), rules, NoValue::Refused)
}

/// Reads what changes of `current`.
pub(crate) fn parse_patch(
    body: &[u8],
    current: &WebhookSettings,
    rules: &UrlRules,
) -> Result<WebhookSettings, Refusal> {
    read_all(body, Draft::of(current), rules, NoValue::Removes)
}

fn read_all(
    body: &[u8],
    draft: Draft,
    rules: &UrlRules,
    no_value: NoValue,
) -> Result<WebhookSettings, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let settings = draft.read(&mut fields, rules, no_value);
    let errors = fields.finish();
    match settings {
        Some(settings) if errors.is_empty() => Ok(settings),
        _ => Err(Refusal::Invalid(errors)),
    }
}

/// Settings in the making: what has no default may be missing yet.
#[derive(Default)]
pub(super) struct Draft {
    name: Option<WebhookName>,
    url: Option<WebhookUrl>,
    environment: Option<Environment>,
    events: Option<EventSelection>,
    description: WebhookDescription,
    status: Option<WebhookStatus>,
    headers: CustomHeaders,
    metadata: Metadata,
    serving: Serving,
}

impl Draft {
    /// Of a webhook that is to be in this environment, whatever it says itself.
    pub(super) fn within(environment: Environment) -> Self {
        Self {
            environment: Some(environment),
            ..Self::default()
        }
    }

    fn of(current: &WebhookSettings) -> Self {
        let current = current.clone();
        Self {
            name: Some(current.name),
            url: Some(current.url),
            environment: Some(current.environment),
            events: Some(current.events),
            description: current.description,
            status: Some(current.status),
            headers: current.headers,
            metadata: current.metadata,
            serving: current.serving,
        }
    }

    /// Takes every field out that is there. `None`: something is wrong, and noted in `fields`.
    pub(super) fn read(
        mut self,
        fields: &mut Fields<'_>,
        rules: &UrlRules,
        no_value: NoValue,
    ) -> Option<WebhookSettings> {
        if self.name.is_none() || fields.has("name") {
            self.name = fields.required("name", WebhookName::parse);
        }
        if self.url.is_none() || fields.has("url") {
            self.url = fields.required("url", |text| {
                WebhookUrl::parse(text, rules.schemes, &rules.addresses)
            });
        }
        if self.environment.is_none() || fields.has("environment") {
            self.environment = fields.required("environment", str::parse);
        }
        if self.events.is_none() || fields.has("event_types") {
            let patterns = fields.required_list("event_types", str::parse);
            self.events = patterns.and_then(|patterns| EventSelection::new(patterns).ok());
        }
        if fields.has("description") {
            let parsed = fields.optional("description", WebhookDescription::parse);
            self.description = parsed.unwrap_or_default();
        }
        let status = fields.optional("status", str::parse).or(self.status);
        read_headers(fields, &mut self.headers, no_value);
        read_metadata(fields, &mut self.metadata, no_value);
        read_serving(fields, &mut self.serving);
        Some(WebhookSettings {
            name: self.name?,
            url: self.url?,
            environment: self.environment?,
            description: self.description,
            status: status.unwrap_or(WebhookStatus::Active),
            events: self.events?,
            headers: self.headers,
            metadata: self.metadata,
            serving: self.serving,
        })
    }
}

fn read_headers(fields: &mut Fields<'_>, headers: &mut CustomHeaders, no_value: NoValue) {
    if !fields.has("headers") {
        return;
    }
    if no_value != NoValue::Removes {
        *headers = CustomHeaders::default();
    }
    let mut seen = CustomHeaders::default();
    let read = fields.optional_object("headers", |pairs| {
        for (key, value) in pairs.take_pairs() {
            if let Err(error) = read_header(headers, &mut seen, &key, value.as_deref(), no_value) {
                pairs.refuse(&key, error);
            }
        }
        Some(())
    });
    if read.is_none() {
        *headers = CustomHeaders::default();
    }
}

fn read_header(
    headers: &mut CustomHeaders,
    seen: &mut CustomHeaders,
    key: &str,
    value: Option<&str>,
    no_value: NoValue,
) -> Result<(), String> {
    let name = HeaderName::parse(key).map_err(|error| error.to_string())?;
    if seen.contains(&name) {
        return Err("appears more than once".to_owned());
    }
    let noted = seen.set(name.clone(), HeaderSecret::Stored);
    noted.map_err(|error| error.to_string())?;
    let value = match (value, no_value) {
        (Some(text), _) => HeaderValue::parse(text).map(HeaderSecret::Given),
        (None, NoValue::Stays) => Ok(HeaderSecret::Stored),
        (None, NoValue::Removes) => {
            headers.remove(&name);
            return Ok(());
        }
        (None, NoValue::Refused) => return Err("must be a string".to_owned()),
    };
    value
        .and_then(|value| headers.set(name, value))
        .map_err(|error| error.to_string())
}

fn read_metadata(fields: &mut Fields<'_>, metadata: &mut Metadata, no_value: NoValue) {
    if !fields.has("metadata") {
        return;
    }
    if no_value != NoValue::Removes {
        *metadata = Metadata::default();
    }
    let read = fields.optional_object("metadata", |pairs| {
        for (key, value) in pairs.take_pairs() {
            match (value, no_value) {
                (Some(value), _) => {
                    if let Err(error) = metadata.set(&key, &value) {
                        pairs.refuse(&key, error);
                    }
                }
                (None, NoValue::Removes) => metadata.remove(&key),
                (None, NoValue::Refused | NoValue::Stays) => {
                    pairs.refuse(&key, "must be a string");
                }
            }
        }
        Some(())
    });
    if read.is_none() {
        *metadata = Metadata::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use webhook_domain::{AddressPolicy, EventPattern, UrlSchemes};

    const RULES: UrlRules = UrlRules {
        schemes: UrlSchemes::HttpsOnly,
        addresses: AddressPolicy {
            allowed: Vec::new(),
        },
    };

    fn new(body: &str) -> WebhookSettings {
        let parsed = parse_new(body.as_bytes(), &RULES);
        parsed.map_err(|p| p.to_string()).expect("it is right").0
    }

    fn whole() -> WebhookSettings {
        new(
            r#"{"name":"CRM","url":"https://example.com/","environment":"staging",
            "event_types":["license.*"],"description":"old","headers":{"X-A":"1","X-B":"2"},
            "metadata":{"a":"1","b":"2"},"timeout_ms":5000,"max_concurrency":2,"rate_limit":5,
            "ordering_key":"contract_id","retry_policy":{"max_attempts":3,"jitter":0}}"#,
        )
    }

    fn patch(body: &str) -> WebhookSettings {
        let parsed = parse_patch(body.as_bytes(), &whole(), &RULES);
        parsed.map_err(|p| p.to_string()).expect("it is right")
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let settings = new(
            r#"{"name":"CRM","url":"https://example.com/","environment":"staging",
            "event_types":["license.*","license.*","*"],"description":null}"#,
        );

        assert_eq!(settings.status, WebhookStatus::Active);
        assert_eq!(settings.description, WebhookDescription::default());
        assert_eq!(settings.serving, Serving::default());
        assert_eq!(
            settings.events.patterns(),
            [EventPattern::Group("license"), EventPattern::All]
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_and_no_secret_is_repeated() {
        let refused = parse_new(
            br#"{"name":"","url":"http://10.0.0.1/","event_types":[],"secret":"hunter2","x":1,
                "headers":{"host":"hunter2","x-a":5,"x-b":"hunter2\n"},"metadata":{"a":null}}"#,
            &RULES,
        );

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "name",
                "url",
                "environment",
                "event_types",
                "headers.x-a",
                "headers.host",
                "headers.x-b",
                "metadata.a",
                "secret",
                "x"
            ]
        );
        assert!(!format!("{errors:?}").contains("hunter2"));
    }

    #[test]
    fn an_empty_patch_changes_nothing() {
        let mut current = whole();
        // As it is read from the database.
        current.headers = ["x-a", "x-b"]
            .iter()
            .fold(CustomHeaders::default(), |mut all, name| {
                let name = HeaderName::parse(name).expect("a name");
                all.set(name, HeaderSecret::Stored).expect("room");
                all
            });

        let patched = parse_patch(b"{}", &current, &RULES).map_err(|p| p.to_string());

        assert_eq!(patched, Ok(current));
    }

    #[test]
    fn a_patch_merges_pairs_and_null_takes_away() {
        let patched = patch(
            r#"{"headers":{"x-a":null,"X-C":"3"},"metadata":{"b":"changed","a":null},
                "retry_policy":{"jitter":0.5},"rate_limit":null,"description":null}"#,
        );

        assert_eq!(patched.headers.names().collect::<Vec<_>>(), ["x-b", "x-c"]);
        assert_eq!(patched.metadata.pairs().len(), 1);
        assert_eq!(patched.metadata.pairs()["b"], "changed");
        let policy = patched.serving.retry_policy.expect("its own");
        assert_eq!((policy.max_attempts, policy.jitter), (3, 0.5));
        assert_eq!(patched.serving.rate_limit, None);
        assert_eq!(patched.description, WebhookDescription::default());
        assert_eq!(
            patched.serving.max_concurrency,
            whole().serving.max_concurrency
        );
    }

    #[test]
    fn null_takes_all_headers_pairs_and_the_policy_away() {
        let patched = patch(r#"{"headers":null,"metadata":null,"retry_policy":null}"#);

        assert_eq!(patched.headers, CustomHeaders::default());
        assert_eq!(patched.metadata, Metadata::default());
        assert_eq!(patched.serving.retry_policy, None);
    }

    #[test]
    fn order_is_asked_for_by_its_name_or_by_a_key() {
        let ordering = |body: &str| patch(body).serving.ordering.map(|f| f.as_str().to_owned());

        for (body, field) in [
            ("{}", Some("contract_id")),
            (r#"{"ordering":"by_key"}"#, Some("contract_id")),
            (r#"{"ordering_key":"seat_id"}"#, Some("seat_id")),
            (r#"{"ordering_key":null}"#, Some("license_id")),
            (r#"{"ordering":"none"}"#, None),
            (r#"{"ordering":null}"#, None),
            (r#"{"ordering":"none","ordering_key":"seat_id"}"#, None),
        ] {
            assert_eq!(ordering(body).as_deref(), field, "{body}");
        }
    }
}
