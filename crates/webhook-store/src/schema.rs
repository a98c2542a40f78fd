//! The tables as the query builder knows them; `migrations/` makes them, `docs/schema.md` explains them.
//!
//! Types of columns are Postgres's, but for ids, closed sets of names, enums and codes, see
//! [`column_types`](crate::column_types). That every table and column stands here as the database has
//! it is held by the test `the_query_builder_knows_the_tables_of_the_database`.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "the columns are explained in docs/schema.md"
)]

mod statistics;

pub use statistics::{total_hours, webhook_activity, webhook_days, webhook_hours};

// Who gets events, and how.

diesel::table! {
    use crate::column_types::all::*;
    webhooks (id) {
        id -> Id<WebhookId>,
        version -> Int8,
        name -> Text,
        url -> Text,
        environment -> Named<Environment>,
        description -> Text,
        status -> Named<WebhookStatus>,
        disabled_reason -> Nullable<Text>,
        event_types -> Array<Named<EventPattern>>,
        sealed_secret -> Bytea,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        max_concurrency -> Nullable<Int4>,
        rate_limit -> Nullable<Int4>,
        ordering_field -> Nullable<Text>,
        header_names -> Array<Text>,
        sealed_headers -> Nullable<Bytea>,
        metadata -> Jsonb,
        timeout_ms -> Nullable<Int4>,
        deleted_at -> Nullable<Timestamptz>,
        search_text -> Text,
        health_since -> Nullable<Timestamptz>,
        format -> Named<Format>,
        rate_period -> Named<RatePeriod>,
        pace_interval_us -> Nullable<Int8>,
        pace_burst -> Nullable<Int4>,
        pace_concurrency -> Nullable<Int4>,
        template_version -> Nullable<Int4>,
        sealed_url -> Nullable<Bytea>,
        url_fingerprint -> Nullable<Bytea>,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    templates (webhook_id, version) {
        webhook_id -> Id<WebhookId>,
        version -> Int4,
        template -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    subscriptions (environment, event_type, webhook_id) {
        webhook_id -> Id<WebhookId>,
        environment -> Named<Environment>,
        event_type -> Named<EventType>,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    previous_secrets (webhook_id, replaced_at) {
        webhook_id -> Id<WebhookId>,
        sealed_secret -> Bytea,
        valid_until -> Timestamptz,
        replaced_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    // A row for each environment and each webhook with a policy of its own. The database has no
    // primary key here, as exactly one of the two columns is set; diesel asks for one.
    retry_policies (environment, webhook_id) {
        environment -> Nullable<Named<Environment>>,
        webhook_id -> Nullable<Id<WebhookId>>,
        max_attempts -> Int4,
        initial_interval_ms -> Int8,
        multiplier -> Float8,
        max_interval_ms -> Int8,
        jitter -> Float8,
        timeout_ms -> Int8,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    rate_buckets (webhook_id) {
        webhook_id -> Id<WebhookId>,
        tokens -> Float8,
        refilled_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    webhook_health (webhook_id) {
        webhook_id -> Id<WebhookId>,
        failing_since -> Timestamptz,
        failures -> Int4,
        warned_at -> Nullable<Timestamptz>,
        paused_at -> Nullable<Timestamptz>,
        paused_until -> Nullable<Timestamptz>,
        pauses -> Int4,
        held_until -> Nullable<Timestamptz>,
        forbidden -> Int4,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    webhook_history (webhook_id, valid_until) {
        webhook_id -> Id<WebhookId>,
        version -> Int8,
        name -> Text,
        environment -> Named<Environment>,
        status -> Named<WebhookStatus>,
        disabled_reason -> Nullable<Text>,
        event_types -> Array<Named<EventPattern>>,
        deleted -> Bool,
        valid_from -> Timestamptz,
        valid_until -> Timestamptz,
    }
}

// Events, deliveries and attempts.

diesel::table! {
    use crate::column_types::all::*;
    events (id) {
        id -> Id<EventId>,
        event_type -> Named<EventType>,
        environment -> Named<Environment>,
        occurred_at -> Timestamptz,
        received_at -> Timestamptz,
        body -> Bytea,
        test_webhook_id -> Nullable<Id<WebhookId>>,
        matched -> Bool,
        traceparent -> Nullable<Text>,
    }
}

/// Declares `deliveries` and its two partitions, which have the same columns.
macro_rules! deliveries {
    ($($table:ident)+) => {
        $(
            diesel::table! {
                use crate::column_types::all::*;
                $table (id) {
                    id -> Id<DeliveryId>,
                    event_id -> Id<EventId>,
                    webhook_id -> Id<WebhookId>,
                    status -> Enum<DeliveryStatus>,
                    attempts -> Int4,
                    next_attempt_at -> Nullable<Timestamptz>,
                    created_at -> Timestamptz,
                    ended_at -> Nullable<Timestamptz>,
                    backlog -> Nullable<Code<BacklogQueue>>,
                    ordering_key -> Nullable<Id<OrderingKey>>,
                    ordering_sequence -> Nullable<Int8>,
                    event_type -> Enum<EventType>,
                    environment -> Enum<Environment>,
                    test -> Bool,
                    last_answer -> Code<LastResponse>,
                    schedule_from -> Int4,
                    schedule_since -> Nullable<Timestamptz>,
                    throttled -> Int4,
                }
            }
        )+
    };
}

deliveries! { deliveries deliveries_pending deliveries_ended }

diesel::table! {
    use crate::column_types::all::*;
    attempts (delivery_id, number, started_at) {
        delivery_id -> Id<DeliveryId>,
        number -> Int4,
        started_at -> Timestamptz,
        duration_ms -> Int4,
        response_status -> Nullable<Int4>,
        failure_class -> Nullable<Named<FailureClass>>,
        failure_detail -> Nullable<Text>,
        dns_ms -> Nullable<Int4>,
        connect_ms -> Nullable<Int4>,
        first_byte_ms -> Nullable<Int4>,
        exchange_id -> Nullable<Uuid>,
        exchange_place -> Nullable<Int2>,
    }
}

diesel::table! {
    exchanges (id) {
        id -> Uuid,
        recorded_at -> Timestamptz,
        said -> Text,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    resends (delivery_id, requested_at) {
        delivery_id -> Id<DeliveryId>,
        requested_at -> Timestamptz,
        after_attempt -> Int4,
        status_before -> Text,
        actor_name -> Text,
        job_id -> Nullable<Id<JobId>>,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    jobs (id) {
        id -> Id<JobId>,
        kind -> Named<JobKind>,
        status -> Named<JobStatus>,
        webhook_id -> Nullable<Id<WebhookId>>,
        selection -> Jsonb,
        rate -> Int4,
        total -> Int8,
        done -> Int8,
        skipped -> Int8,
        position -> Nullable<Jsonb>,
        next_step_at -> Timestamptz,
        actor_id -> Nullable<Id<ApiKeyId>>,
        actor_name -> Text,
        created_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    rejected_messages (id) {
        id -> Uuid,
        reason -> Text,
        exchange -> Text,
        routing_key -> Text,
        body -> Bytea,
        body_bytes -> Int8,
        body_truncated -> Bool,
        rejected_at -> Timestamptz,
    }
}

diesel::table! {
    status_events (id) {
        id -> Uuid,
        routing_key -> Text,
        body -> Text,
        publish_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    url_checks (id) {
        id -> Uuid,
        webhook_id -> Id<WebhookId>,
        url -> Text,
        requested_at -> Timestamptz,
        take_at -> Timestamptz,
        done_at -> Nullable<Timestamptz>,
        result -> Nullable<Jsonb>,
    }
}

diesel::table! {
    dispatchers (id) {
        id -> Uuid,
        started_at -> Timestamptz,
        seen_at -> Timestamptz,
        not_recording_since -> Nullable<Timestamptz>,
    }
}

// Who uses the API, and how the platform is set up.

diesel::table! {
    use crate::column_types::all::*;
    api_keys (id) {
        id -> Id<ApiKeyId>,
        name -> Text,
        role -> Named<Role>,
        prefix -> Text,
        hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    sessions (hash) {
        hash -> Bytea,
        api_key_id -> Id<ApiKeyId>,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    audit_entries (id) {
        id -> Uuid,
        at -> Timestamptz,
        actor_id -> Nullable<Id<ApiKeyId>>,
        actor_name -> Text,
        request_id -> Nullable<Text>,
        action -> Named<AuditAction>,
        webhook_id -> Nullable<Id<WebhookId>>,
        subject -> Text,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    idempotency_keys (api_key_id, key) {
        id -> Uuid,
        api_key_id -> Id<ApiKeyId>,
        key -> Text,
        request_hash -> Bytea,
        sealed_answer -> Nullable<Bytea>,
        made_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    settings (id) {
        id -> Bool,
        version -> Int8,
        keep_events_s -> Int8,
        keep_deliveries_s -> Int8,
        keep_bodies_s -> Int8,
        keep_audit_s -> Int8,
        disable_after_s -> Int8,
        grace_period_s -> Int8,
        egress_addresses -> Array<Text>,
        updated_at -> Timestamptz,
        link_patterns -> Jsonb,
        portal_url -> Nullable<Text>,
    }
}

diesel::table! {
    retention_sweep (id) {
        id -> Bool,
        subject -> Nullable<Text>,
        after_at -> Timestamptz,
        after_id -> Uuid,
        next_step_at -> Timestamptz,
    }
}

// Which tables a query of the builder may join.

diesel::joinable!(webhook_health -> webhooks (webhook_id));
diesel::joinable!(webhook_activity -> webhooks (webhook_id));
diesel::joinable!(webhook_days -> webhooks (webhook_id));
diesel::joinable!(deliveries -> webhooks (webhook_id));
diesel::joinable!(deliveries -> events (event_id));
diesel::joinable!(sessions -> api_keys (api_key_id));
diesel::allow_tables_to_appear_in_same_query!(
    webhooks,
    webhook_health,
    webhook_activity,
    webhook_days,
    subscriptions,
    previous_secrets,
    retry_policies,
    deliveries,
    deliveries_pending,
    events
);
diesel::allow_tables_to_appear_in_same_query!(sessions, api_keys);
