//! The tables of statistics, as the query builder knows them.

diesel::table! {
    use crate::column_types::all::*;
    webhook_activity (webhook_id) {
        webhook_id -> Id<WebhookId>,
        delivery_id -> Id<DeliveryId>,
        delivery_status -> Named<DeliveryStatus>,
        attempted_at -> Timestamptz,
        response_status -> Nullable<Int4>,
        failure_class -> Nullable<Named<FailureClass>>,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    webhook_days (webhook_id) {
        webhook_id -> Id<WebhookId>,
        since -> Timestamptz,
        attempts -> Int8,
        failed_attempts -> Int8,
        failure_rate -> Float8,
        p95_ms -> Nullable<Int4>,
        summed_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    webhook_hours (webhook_id, hour) {
        webhook_id -> Id<WebhookId>,
        hour -> Timestamptz,
        attempts -> Int4,
        failed_attempts -> Int4,
        succeeded -> Int4,
        failed -> Int4,
        failures -> Array<Int4>,
        durations -> Array<Int4>,
    }
}

diesel::table! {
    total_hours (hour, worker_id) {
        hour -> Timestamptz,
        worker_id -> Uuid,
        attempts -> Int4,
        failed_attempts -> Int4,
        succeeded -> Int4,
        failed -> Int4,
        failures -> Array<Int4>,
        durations -> Array<Int4>,
    }
}

diesel::table! {
    use crate::column_types::all::*;
    environment_hours (environment, hour, event_type, worker_id) {
        environment -> Enum<Environment>,
        hour -> Timestamptz,
        event_type -> Enum<EventType>,
        worker_id -> Uuid,
        attempts -> Int4,
        failed_attempts -> Int4,
        succeeded -> Int4,
        failed -> Int4,
    }
}
