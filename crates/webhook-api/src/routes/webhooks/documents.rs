//! How the API's description shows what `Draft` in [`settings`](super::settings) reads.

use utoipa::ToSchema;

use webhook_admin::retry_policies::RetryPolicyRequest;
use webhook_admin::schema;

/// Documents a request that tells all settings of a webhook.
macro_rules! all_settings {
    ($(#[doc = $doc:literal])+ $name:ident($environment:ty, $headers:ty) { $($more:tt)* }) => {
        $(#[doc = $doc])+
        #[derive(ToSchema)]
        #[allow(dead_code, reason = "it documents what `Draft` reads field by field")]
        pub(crate) struct $name {
            #[schema(value_type = schema::NameText, inline)]
            name: String,
            #[schema(value_type = schema::UrlText, inline)]
            url: String,
            #[schema(value_type = $environment, inline)]
            environment: String,
            #[schema(value_type = schema::EventPatterns, inline)]
            event_types: Vec<String>,
            #[schema(value_type = Option<schema::DescriptionText>, inline)]
            description: Option<String>,
            /// `active` when left out.
            #[schema(value_type = Option<schema::StatusName>, inline)]
            status: Option<String>,
            #[schema(value_type = $headers, inline)]
            headers: Option<()>,
            #[schema(value_type = Option<schema::MetadataPairs>, inline)]
            metadata: Option<()>,
            /// How long one attempt may take, in milliseconds; as the retry policy says when left
            /// out.
            #[schema(minimum = 100, maximum = 30_000, example = 5_000)]
            timeout_ms: Option<u64>,
            /// Requests at once per dispatcher; the dispatcher's own default when left out.
            #[schema(minimum = 1, maximum = 256, example = 16)]
            max_concurrency: Option<u16>,
            /// Requests per second from all dispatchers together; no limit when left out.
            #[schema(minimum = 1, maximum = 10_000, example = 50)]
            rate_limit: Option<u16>,
            /// `none` when left out, unless there is an `ordering_key`.
            #[schema(value_type = Option<schema::OrderingName>, inline)]
            ordering: Option<String>,
            /// The field of `data` to order by; `license_id` when left out.
            #[schema(value_type = Option<schema::OrderingFieldText>, inline)]
            ordering_key: Option<String>,
            /// A policy of its own; its environment's when left out.
            retry_policy: Option<RetryPolicyRequest>,
            $($more)*
        }
    };
}

all_settings! {
    /// All settings of a webhook. What is left out has its default, whatever it was before; the
    /// secret stays.
    ReplaceWebhook(schema::EnvironmentName, Option<schema::HeaderPairs>) {}
}

all_settings! {
    /// A webhook to be made.
    CreateWebhook(schema::EnvironmentName, Option<schema::HeaderPairs>) {
        /// Generated when left out.
        #[schema(value_type = Option<schema::SecretText>, inline)]
        secret: Option<String>,
    }
}

all_settings! {
    /// A webhook to be imported. Its environment does not count: the request names another one.
    ImportWebhook(Option<schema::EnvironmentName>, Option<schema::HeaderPatch>) {
        /// Generated when left out, for a webhook that is made.
        #[schema(value_type = Option<schema::SecretText>, inline)]
        secret: Option<String>,
    }
}

/// What changes of a webhook. What is left out stays; `null` gives the default back; `headers`,
/// `metadata` and `retry_policy` are merged in.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_patch` reads field by field"
)]
pub(crate) struct PatchWebhook {
    #[schema(value_type = schema::NameText, inline, required = false)]
    name: String,
    #[schema(value_type = schema::UrlText, inline, required = false)]
    url: String,
    #[schema(value_type = schema::EnvironmentName, inline, required = false)]
    environment: String,
    #[schema(value_type = schema::EventPatterns, inline, required = false)]
    event_types: Vec<String>,
    #[schema(value_type = Option<schema::DescriptionText>, inline)]
    description: Option<String>,
    #[schema(value_type = schema::StatusName, inline, required = false)]
    status: String,
    #[schema(value_type = Option<schema::HeaderPatch>, inline)]
    headers: Option<()>,
    #[schema(value_type = Option<schema::MetadataPatch>, inline)]
    metadata: Option<()>,
    /// How long one attempt may take, in milliseconds; `null`: as the retry policy says.
    #[schema(minimum = 100, maximum = 30_000, example = 5_000)]
    timeout_ms: Option<u64>,
    /// Requests at once per dispatcher; `null`: the dispatcher's own default.
    #[schema(minimum = 1, maximum = 256, example = 16)]
    max_concurrency: Option<u16>,
    /// Requests per second from all dispatchers together; `null`: no limit.
    #[schema(minimum = 1, maximum = 10_000, example = 50)]
    rate_limit: Option<u16>,
    #[schema(value_type = Option<schema::OrderingName>, inline)]
    ordering: Option<String>,
    /// The field of `data` to order by.
    #[schema(value_type = Option<schema::OrderingFieldText>, inline)]
    ordering_key: Option<String>,
    /// `null`: its environment's. What is left out of a policy is as it was.
    retry_policy: Option<RetryPolicyRequest>,
}
