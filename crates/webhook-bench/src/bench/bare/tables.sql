-- The tables of the bare loop: as few as an at-least-once delivery needs.
CREATE SCHEMA IF NOT EXISTS bare;
CREATE TABLE IF NOT EXISTS bare.events (
    id uuid PRIMARY KEY, event_type text NOT NULL, environment text NOT NULL,
    occurred_at timestamptz NOT NULL, body bytea NOT NULL);
CREATE TABLE IF NOT EXISTS bare.deliveries (
    id uuid PRIMARY KEY, event_id uuid NOT NULL, webhook integer NOT NULL,
    status text NOT NULL DEFAULT 'pending', attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz, ended_at timestamptz) WITH (fillfactor = 70);
CREATE TABLE IF NOT EXISTS bare.attempts (
    delivery_id uuid NOT NULL, number integer NOT NULL, started_at timestamptz NOT NULL,
    duration_ms integer NOT NULL, response_status integer NOT NULL,
    PRIMARY KEY (delivery_id, number));
