use super::*;
use webhook_domain::{
    AddressPolicy, CustomHeaders, DeliveryOptions, EventPattern, HeaderName, HeaderSecret,
    Metadata, UrlSchemes, WebhookDescription, WebhookStatus,
};

const RULES: UrlRules = UrlRules {
    schemes: UrlSchemes::HttpsOnly,
    addresses: AddressPolicy {
        allowed: Vec::new(),
    },
};

fn new(body: &str) -> WebhookSettings {
    let parsed = CreateWebhook::parse(body.as_bytes(), &RULES);
    parsed
        .map_err(|refusal| refusal.to_string())
        .expect("the document is right")
        .settings
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
    let parsed = PatchWebhook::parse(body.as_bytes(), &whole(), &RULES);
    parsed
        .map_err(|refusal| refusal.to_string())
        .expect("the patch is right")
        .settings
}

#[test]
fn what_is_left_out_has_its_default() {
    let settings = new(
        r#"{"name":"CRM","url":"https://example.com/","environment":"staging",
        "event_types":["license.*","license.*","*"],"description":null}"#,
    );

    assert_eq!(settings.status, WebhookStatus::Active);
    assert_eq!(settings.description, WebhookDescription::default());
    assert_eq!(settings.delivery_options, DeliveryOptions::default());
    assert_eq!(
        settings.events.patterns(),
        [EventPattern::Group("license"), EventPattern::All]
    );
}

#[test]
fn all_that_is_wrong_is_told_and_no_secret_is_repeated() {
    let refused = CreateWebhook::parse(
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

    let patched = PatchWebhook::parse(b"{}", &current, &RULES)
        .map(|patch| patch.settings)
        .map_err(|refusal| refusal.to_string());

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
    let policy = patched.delivery_options.retry_policy.expect("its own");
    assert_eq!((policy.max_attempts, policy.jitter), (3, 0.5));
    assert_eq!(patched.delivery_options.rate_limit, None);
    assert_eq!(patched.description, WebhookDescription::default());
    assert_eq!(
        patched.delivery_options.max_concurrency,
        whole().delivery_options.max_concurrency
    );
}

#[test]
fn null_takes_all_headers_pairs_and_the_policy_away() {
    let patched = patch(r#"{"headers":null,"metadata":null,"retry_policy":null}"#);

    assert_eq!(patched.headers, CustomHeaders::default());
    assert_eq!(patched.metadata, Metadata::default());
    assert_eq!(patched.delivery_options.retry_policy, None);
}

#[test]
fn order_is_asked_for_by_its_name_or_by_a_key() {
    let ordering = |body: &str| {
        patch(body)
            .delivery_options
            .ordering
            .map(|f| f.as_str().to_owned())
    };

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
