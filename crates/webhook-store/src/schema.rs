//! The tables as the query builder knows them; `migrations/` makes them.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "the columns are told in the migrations"
)]

diesel::table! {
    webhooks (id) {
        id -> Uuid,
        version -> Int8,
        name -> Text,
        url -> Text,
        environment -> Text,
        description -> Text,
        status -> Text,
        disabled_reason -> Nullable<Text>,
        event_types -> Array<Text>,
        sealed_secret -> Bytea,
        max_concurrency -> Nullable<Int4>,
        rate_limit -> Nullable<Int4>,
        ordering_field -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        header_names -> Array<Text>,
        sealed_headers -> Nullable<Bytea>,
        metadata -> Jsonb,
        timeout_ms -> Nullable<Int4>,
        deleted_at -> Nullable<Timestamptz>,
        search_text -> Text,
    }
}

diesel::table! {
    subscriptions (environment, event_type, webhook_id) {
        webhook_id -> Uuid,
        environment -> Text,
        event_type -> Text,
    }
}

diesel::table! {
    rate_buckets (webhook_id) {
        webhook_id -> Uuid,
    }
}

diesel::table! {
    previous_secrets (webhook_id, replaced_at) {
        webhook_id -> Uuid,
        sealed_secret -> Bytea,
        valid_until -> Timestamptz,
        replaced_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_activity (webhook_id) {
        webhook_id -> Uuid,
        delivery_id -> Uuid,
        delivery_status -> Text,
        attempted_at -> Timestamptz,
        response_status -> Nullable<Int4>,
        failure_class -> Nullable<Text>,
    }
}

diesel::table! {
    webhook_hours (webhook_id, hour) {
        webhook_id -> Uuid,
        hour -> Timestamptz,
        attempts -> Int4,
        failed_attempts -> Int4,
        succeeded -> Int4,
        failed -> Int4,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Uuid,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        actor_name -> Text,
        request_id -> Nullable<Text>,
        action -> Text,
        webhook_id -> Nullable<Uuid>,
        subject -> Text,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
    }
}

diesel::table! {
    idempotency_keys (api_key_id, key) {
        id -> Uuid,
        api_key_id -> Uuid,
        key -> Text,
        request_hash -> Bytea,
        sealed_answer -> Nullable<Bytea>,
        made_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    deliveries (id) {
        id -> Uuid,
        event_id -> Uuid,
        webhook_id -> Uuid,
        status -> Text,
        attempts -> Int4,
        next_attempt_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        backlog -> Nullable<Int2>,
        ordering_key -> Nullable<Uuid>,
    }
}

diesel::table! {
    events (id) {
        id -> Uuid,
        event_type -> Text,
        environment -> Text,
        occurred_at -> Timestamptz,
        received_at -> Timestamptz,
        body -> Bytea,
        test_webhook_id -> Nullable<Uuid>,
        matched -> Bool,
    }
}

diesel::table! {
    // One row per environment and per webhook; neither column alone is its key.
    retry_policies (environment, webhook_id) {
        environment -> Nullable<Text>,
        webhook_id -> Nullable<Uuid>,
        max_attempts -> Int4,
        initial_interval_ms -> Int8,
        multiplier -> Float8,
        max_interval_ms -> Int8,
        jitter -> Float8,
        timeout_ms -> Int8,
    }
}

diesel::table! {
    webhook_health (webhook_id) {
        webhook_id -> Uuid,
        failing_since -> Timestamptz,
        failures -> Int4,
        warned_at -> Nullable<Timestamptz>,
        paused_at -> Nullable<Timestamptz>,
        paused_until -> Nullable<Timestamptz>,
        pauses -> Int4,
        held_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    status_events (id) {
        id -> Uuid,
        routing_key -> Text,
        body -> Text,
    }
}

diesel::joinable!(webhook_health -> webhooks (webhook_id));
diesel::joinable!(webhook_activity -> webhooks (webhook_id));
diesel::allow_tables_to_appear_in_same_query!(
    webhooks,
    webhook_health,
    webhook_activity,
    subscriptions,
    previous_secrets,
    retry_policies
);
diesel::joinable!(deliveries -> events (event_id));
diesel::allow_tables_to_appear_in_same_query!(deliveries, events);
diesel::allow_tables_to_appear_in_same_query!(deliveries, webhooks);

diesel::table! {
    attempts (delivery_id, number, started_at) {
        delivery_id -> Uuid,
        number -> Int4,
        started_at -> Timestamptz,
        duration_ms -> Int4,
        dns_ms -> Nullable<Int4>,
        connect_ms -> Nullable<Int4>,
        first_byte_ms -> Nullable<Int4>,
        response_status -> Nullable<Int4>,
        failure_class -> Nullable<Text>,
        failure_detail -> Nullable<Text>,
    }
}

diesel::table! {
    resends (delivery_id, requested_at) {
        delivery_id -> Uuid,
        requested_at -> Timestamptz,
        after_attempt -> Int4,
        status_before -> Text,
        actor_name -> Text,
        job_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    jobs (id) {
        id -> Uuid,
        kind -> Text,
        status -> Text,
        webhook_id -> Nullable<Uuid>,
        selection -> Jsonb,
        rate -> Int4,
        total -> Int8,
        done -> Int8,
        skipped -> Int8,
        position -> Nullable<Jsonb>,
        next_step_at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        actor_name -> Text,
        created_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        name -> Text,
        role -> Text,
        prefix -> Text,
        hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
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

diesel::table! {
    sessions (hash) {
        hash -> Bytea,
        api_key_id -> Uuid,
        expires_at -> Timestamptz,
    }
}

diesel::joinable!(sessions -> api_keys (api_key_id));
diesel::allow_tables_to_appear_in_same_query!(sessions, api_keys);

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
    url_checks (id) {
        id -> Uuid,
        webhook_id -> Uuid,
        url -> Text,
        requested_at -> Timestamptz,
        done_at -> Nullable<Timestamptz>,
        result -> Nullable<Jsonb>,
    }
}
