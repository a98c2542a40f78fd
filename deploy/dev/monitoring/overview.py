"""The overview: does the platform keep the service level, and if not, whose matter is that?"""

from functools import partial

from .panels import GREEN, RED, YELLOW, alerts_panel, choice, dashboard, lines, number, quantiles, row

FIRST = "webhook_event_to_first_attempt_seconds"
OURS = 'held_by="nothing"'
IN_TIME = (
    f'sum(increase({FIRST}_bucket{{{OURS},le=~"5|5[.]0"}}[$__range]))'
    f" / sum(increase({FIRST}_count{{{OURS}}}[$__range]))"
)
RATES = "[$__rate_interval]"


def make():
    return dashboard(
        "webhooks-overview",
        "Webhooks: overview",
        "The service level, the way of events from RabbitMQ to receivers, the backlog, and the receivers.",
        [service_level(), state(), flow(), backlog(), receivers()],
        [
            choice("job", "Service", 'label_values(up{job=~"webhook-api|webhook-dispatcher"}, job)'),
            choice("instance", "Process", 'label_values(up{job=~"$job"}, instance)'),
        ],
    )


def service_level():
    burn = [(f"webhook:late_first_attempts:ratio_{window} / 0.01", window) for window in ("5m", "1h", "6h", "1d", "3d")]
    return row(
        "Service level: 99 % of events have their first attempt within 5 s",
        number(
            "In time",
            "Share of events with a first attempt within 5 s of the event's time, over the time shown, first attempts"
            " that their webhook may have held back aside. The service level is 99 % over 30 days.",
            IN_TIME,
            "percentunit",
            limits=[(0.985, YELLOW), (0.99, GREEN)],
            base=RED,
            alert="WebhookFirstAttemptsLate",
        ),
        number(
            "Budget left",
            "Share of the allowed late events that is left, over the time shown. 0 % means that exactly 1 % of events"
            " were late; below, the service level is missed.",
            f"1 - (1 - ({IN_TIME})) / 0.01",
            "percentunit",
            limits=[(0, YELLOW), (0.25, GREEN)],
            base=RED,
            alert="WebhookFirstAttemptsOftenLate",
        ),
        lines(
            "Use of the budget",
            "How many times faster than allowed late events use up the budget, in windows of several lengths. 1 uses up"
            " the budget of 30 days in 30 days; 14.4 in an hour and in 5 minutes pages.",
            burn,
            "none",
            limits=[(1, YELLOW), (14.4, RED)],
            alert="WebhookFirstAttemptsLate",
        ),
        quantiles(
            "From event to first attempt",
            "Time from the event's timestamp to the start of the first attempt, without those that a rate limit, an order"
            " of events or an open circuit of the webhook may have held back.",
            FIRST,
            matchers=OURS,
            limits=[(5, RED)],
            alert="WebhookFirstAttemptsLate",
        ),
        quantiles(
            "From event to success",
            "Time from the event's timestamp to the receiver's acceptance, retries included. Receivers that fail make"
            " this time long.",
            "webhook_event_to_success_seconds",
            alert="WebhookManyFail",
        ),
    )


def state():
    taken = [("0", "nobody"), ("1", "yes")]
    low = partial(number, height=4)
    return row(
        "State",
        low(
            "Dispatchers",
            "Dispatchers that answer Prometheus.",
            'count(up{job="webhook-dispatcher"} == 1) or vector(0)',
            limits=[(1, GREEN)],
            base=RED,
            alert="WebhookDispatchersAbsent",
        ),
        low(
            "With a sign of life",
            "Dispatchers that have written a sign of life into Postgres in the last 15 s.",
            "max(webhook_dispatchers)",
            limits=[(1, GREEN)],
            base=RED,
            alert="WebhookDispatcherSilent",
        ),
        low(
            "Replicas of the API",
            "Replicas of the API that answer Prometheus.",
            'count(up{job="webhook-api"} == 1) or vector(0)',
            limits=[(1, GREEN)],
            base=RED,
            alert="WebhookApiAbsent",
        ),
        low(
            "Events are taken in",
            "Whether a dispatcher consumes the queue webhooks.events.",
            'max(webhook_ready{job="webhook-dispatcher",part="rabbitmq"})',
            words=taken,
            limits=[(1, GREEN)],
            base=RED,
            alert="WebhookIntakeAbsent",
        ),
        low(
            "RabbitMQ blocks publishers",
            "Whether RabbitMQ is short of memory or disk, and accepts no messages.",
            "max(webhook_broker_blocked)",
            words=[("0", "no"), ("1", "yes")],
            limits=[(1, RED)],
            alert="WebhookBrokerBlocked",
        ),
        low(
            "Versions",
            "Versions that run side by side. Two are normal during a rollout only.",
            'count(count by (version) (webhook_build_info{job=~"$job"}))',
            limits=[(2, YELLOW)],
            alert="WebhookVersionsMixed",
        ),
        alerts_panel(
            "Alerts",
            "Alerts that fire: yellow waits for working hours, red wakes a person. The name of an alert is a heading of"
            " the runbook.",
            'max by (alertname) (ALERTS{alertstate="firing",severity="ticket",alertname=~"Webhook.*"} or 2 *'
            ' ALERTS{alertstate="firing",severity="page",alertname=~"Webhook.*"})',
        ),
        lines(
            "Processes that answer",
            "1 while Prometheus can read the metrics of the process.",
            [('up{job=~"$job",instance=~"$instance"}', "{{job}} {{instance}}")],
            top=1,
            width=12,
            alert="WebhookTargetDown",
        ),
        lines(
            "Readiness by part",
            "1 while every process has the part of /readyz, 0 while one process has not. postgres and rabbitmq are parts"
            " of both services, intake and recorder of dispatchers.",
            [('min by (job, part) (webhook_ready{job=~"$job",instance=~"$instance"})', "{{job}} {{part}}")],
            top=1,
            width=12,
            alert="WebhookNotReady",
        ),
    )


def flow():
    fates = (
        ("webhook_events_taken_in_total", "taken in"),
        ("webhook_events_unmatched_total", "of those without a webhook"),
        ("webhook_events_duplicate_total", "known already"),
    )
    return row(
        "The way of events",
        lines(
            "Events in RabbitMQ",
            "Messages in the queue webhooks.events that no dispatcher holds. The autoscaler aims at 20,000 per dispatcher.",
            [("max(webhook_events_queued)", "queued")],
            limits=[(20_000, YELLOW)],
            alert="WebhookEventsQueued",
        ),
        lines(
            "Events",
            "Events per second that dispatchers took in, and those that no Active webhook wanted. Repeats of known"
            " events are passed over.",
            [(f"sum(rate({name}{RATES}))", legend) for name, legend in fates],
            "ops",
            alert="WebhookEventsNotTakenIn",
        ),
        lines(
            "Messages set aside",
            "Messages per second that were set aside instead of being taken in. not_an_event is the matter of"
            " publishers, the others are ours.",
            [(f"sum by (reason) (rate(webhook_events_rejected_total{RATES}))", "{{reason}}")],
            "ops",
            alert="WebhookEventsRejected",
        ),
        lines(
            "Events over HTTP",
            "Events per second posted to the API, by RabbitMQ's answer. All but confirmed are answered with 503.",
            [(f"sum by (result) (rate(webhook_events_published_total{RATES}))", "{{result}}")],
            "ops",
            alert="WebhookPublishingFails",
        ),
        lines(
            "Attempts by outcome",
            "Attempts per second. accepted ends a delivery as succeeded.",
            [(f"sum by (outcome) (rate(webhook_attempts_total{RATES}))", "{{outcome}}")],
            "ops",
            stacked=True,
            alert="WebhookManyFail",
        ),
        lines(
            "Attempts by response",
            "Attempts per second by class of the response's status, or by the failure without a response. One failure"
            " that covers all receivers is a fault of our network.",
            [(f'sum by (response) (rate(webhook_attempts_total{{response!="2xx"}}{RATES}))', "{{response}}")],
            "ops",
            stacked=True,
            alert="WebhookEgressBroken",
        ),
        lines(
            "Deliveries that ended",
            "Deliveries per second that ended. failed: no attempts are left, or the receiver refused for good.",
            [(f"sum by (status) (rate(webhook_deliveries_ended_total{RATES}))", "{{status}}")],
            "ops",
        ),
    )


def backlog():
    return row(
        "Backlog",
        lines(
            "Lag",
            "How long the oldest due delivery has waited that nothing holds back. Receivers that ask for less (429, 5xx)"
            " have no part in this time; a receiver that is slow at its webhook's concurrency has.",
            [("max(webhook_oldest_due_seconds)", "oldest due delivery")],
            "s",
            limits=[(120, YELLOW), (900, RED)],
            alert="WebhookDeliveriesLag",
        ),
        lines(
            "Time to send the backlog",
            "Due deliveries that nothing holds back, divided by the attempts per second of the last minute. A gap: no"
            " rate is known yet. The autoscaler aims at 60 s.",
            [("max(webhook_drain_seconds)", "drain")],
            "s",
            limits=[(60, YELLOW), (600, RED)],
            alert="WebhookDrainTooLong",
        ),
        lines(
            "Due deliveries",
            "Due deliveries in no lane, by the reason that holds them back. nothing is our matter; receiver (429, 5xx),"
            " circuit, hold, rate_limit and inactive are the matter of receivers and admins.",
            [("max by (held_by) (webhook_deliveries_due)", "{{held_by}}")],
            stacked=True,
            alert="WebhookBacklogHeld",
        ),
        lines(
            "Pending deliveries",
            "Deliveries that have not ended, due or not. A million at most are counted.",
            [("max(webhook_deliveries_pending)", "pending")],
            limits=[(1_000_000, RED)],
            alert="WebhookTooManyPending",
        ),
        lines(
            "Status events in the outbox",
            "Status events that RabbitMQ has not confirmed yet.",
            [("max(webhook_status_events_waiting)", "waiting")],
            alert="WebhookStatusEventsWait",
        ),
        lines(
            "Behind the retention period",
            "How much older than the retention period the oldest row is that may be removed. Events of pending"
            " deliveries stay, and are not counted.",
            [("max by (table) (webhook_retention_behind_seconds)", "{{table}}")],
            "s",
            limits=[(86_400, YELLOW)],
            alert="WebhookRetentionBehind",
        ),
    )


def receivers():
    return row(
        "Receivers",
        lines(
            "Webhooks",
            "Webhooks by state. failing: the latest attempt failed; circuit_open: ten failures in a row, probes only;"
            " held: the receiver asked for a pause; disabled: set Inactive by the platform.",
            [("max by (state) (webhook_webhooks)", "{{state}}")],
            width=12,
            alert="WebhookManyCircuitsOpen",
        ),
        lines(
            "Circuits",
            "Circuits opened and closed per minute.",
            [
                (f"60 * sum(rate(webhook_circuits_opened_total{RATES}))", "opened"),
                (f"60 * sum(rate(webhook_circuits_closed_total{RATES}))", "closed"),
            ],
            "opm",
            width=12,
            alert="WebhookManyCircuitsOpen",
        ),
    )
