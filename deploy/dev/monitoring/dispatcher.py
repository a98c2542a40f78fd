"""The dispatcher: what each process does, what limits it, and how Postgres, RabbitMQ and the network answer."""

from .panels import RED, YELLOW, choice, dashboard, lines, quantiles, row

OF = 'job=~"$job",instance=~"$instance"'
RATES = "[$__rate_interval]"


def make():
    return dashboard(
        "webhooks-dispatcher",
        "Webhooks: dispatcher",
        "Lanes, claims, attempts and records of each dispatcher, its connections, and the removal of old rows.",
        [attempts(), lanes(), records(), dependencies(), housekeeping()],
        [
            choice("job", "Service", "label_values(webhook_lanes, job)"),
            choice("instance", "Process", 'label_values(webhook_lanes{job=~"$job"}, instance)'),
        ],
    )


def each(metric, legend="{{instance}}", by="instance"):
    return [(f"sum by ({by}) (rate({metric}{{{OF}}}{RATES}))", legend)]


def shown(metric, legend="{{instance}}", by="instance"):
    return [(f"sum by ({by}) ({metric}{{{OF}}})", legend)]


def attempts():
    return row(
        "Attempts",
        lines("Attempts", "Attempts per second of each dispatcher.", each("webhook_attempts_total"), "ops"),
        lines(
            "Attempts in flight",
            "Requests that run now, and those whose result waits for the recorder.",
            shown("webhook_attempts_in_flight"),
            alert="WebhookRecorderStuck",
        ),
        quantiles(
            "Duration of attempts",
            "Time from the name look-up to the head of the response, the 95 % quantile. false: not accepted.",
            "webhook_attempt_duration_seconds",
            by=("accepted",),
            matchers=OF,
        ),
        lines(
            "Attempts without a response",
            "Attempts per second that got no response, by failure.",
            [(f'sum by (response) (rate(webhook_attempts_total{{{OF},response!~"[2345]xx"}}{RATES}))', "{{response}}")],
            "ops",
            stacked=True,
            alert="WebhookEgressBroken",
        ),
        lines(
            "Addresses that are not permitted",
            "Connections per second that were refused before they were opened.",
            each("webhook_egress_blocked_total"),
            "ops",
            alert="WebhookEgressBlocked",
        ),
        lines(
            "Attempts of each webhook",
            "The ten webhooks with the most attempts per second. Empty unless METRICS_PER_WEBHOOK is true.",
            [
                (
                    f"topk(10, sum by (webhook_id) (rate(webhook_attempts_by_webhook_total{{{OF}}}{RATES})))",
                    "{{webhook_id}}",
                )
            ],
            "ops",
        ),
    )


def lanes():
    return row(
        "Lanes",
        lines(
            "Lanes",
            "Webhooks with deliveries in the memory of a dispatcher, and those with running attempts.",
            shown("webhook_lanes", "{{instance}}: all") + shown("webhook_lanes_busy", "{{instance}}: busy"),
        ),
        lines(
            "Lanes with a limit",
            "Lanes that could send more. concurrency, slowed, hold: the webhook or its receiver limits the lane. rest:"
            " the dispatcher could not make an attempt, which is our fault.",
            shown("webhook_lanes_limited", "{{instance}} {{by}}", "instance, by"),
            alert="WebhookAttemptsImpossible",
        ),
        lines("Deliveries in lanes", "Deliveries in memory, running ones included.", shown("webhook_lane_deliveries")),
        lines("Bytes in lanes", "Bytes of the bodies of deliveries in memory.", shown("webhook_lane_bytes"), "bytes"),
        quantiles(
            "Size of claims",
            "Deliveries leased by a claim; empty claims aside.",
            "webhook_claimed_deliveries",
            "short",
            matchers=OF,
            alert="WebhookDueNotClaimed",
        ),
        lines(
            "Claims and lost leases",
            "Claims per second, and deliveries per second that were given back without an attempt, as their lease had"
            " no room for an attempt.",
            each("webhook_claimed_deliveries_count", "{{instance}}: claims")
            + each("webhook_leases_lost_total", "{{instance}}: leases lost"),
            "ops",
            alert="WebhookLeasesLost",
        ),
    )


def records():
    return row(
        "Intake and records",
        lines(
            "Events taken in",
            "Events per second that a dispatcher stored. A single dispatcher consumes at a time.",
            each("webhook_events_taken_in_total"),
            "ops",
            alert="WebhookIntakeAbsent",
        ),
        lines(
            "Readiness by process",
            "1 while a part of /readyz is ok. intake: 0 while events in hand cannot be committed; recorder: 0 while"
            " Postgres takes no results.",
            shown("webhook_ready", "{{instance}} {{part}}", "instance, part"),
            top=1,
            alert="WebhookIntakeStuck",
        ),
        lines(
            "Deliveries that ended",
            "Deliveries per second that ended. Accepted attempts without deliveries that succeed: the recorder is"
            " stuck.",
            each("webhook_deliveries_ended_total", "{{instance}} {{status}}", "instance, status"),
            "ops",
            alert="WebhookRecorderStuck",
        ),
        lines(
            "Attempts that Postgres refused",
            "Attempts recorded without their transcript, and attempts without any record, over the time between two"
            " points.",
            [
                (f"sum(increase(webhook_attempts_recorded_plain_total{{{OF}}}{RATES}))", "without transcript"),
                (f"sum(increase(webhook_attempts_not_recorded_total{{{OF}}}{RATES}))", "without record"),
            ],
            limits=[(1, RED)],
            alert="WebhookAttemptsNotRecorded",
        ),
        lines(
            "Rejected messages stored",
            "Messages per second moved from the queue webhooks.events.rejected into Postgres.",
            each("webhook_rejected_messages_written_down_total"),
            "ops",
            alert="WebhookEventsRefusedByPostgres",
        ),
        lines(
            "Circuits",
            "Circuits opened and closed per second.",
            each("webhook_circuits_opened_total", "{{instance}}: opened")
            + each("webhook_circuits_closed_total", "{{instance}}: closed"),
            "ops",
            alert="WebhookManyCircuitsOpen",
        ),
    )


def dependencies():
    return row(
        "Postgres and RabbitMQ",
        lines(
            "Connections to Postgres",
            "Open connections by pool. None: Postgres is away.",
            shown("webhook_postgres_connections", "{{instance}} {{pool}} {{state}}", "instance, pool, state"),
            alert="WebhookPostgresAway",
        ),
        lines(
            "Use of the pools of connections",
            "Busy connections to Postgres, as a share of the most that a pool may open. At 100 % further statements wait.",
            [
                (
                    f'sum by (instance, pool) (webhook_postgres_connections{{{OF},state="busy"}})'
                    f" / sum by (instance, pool) (webhook_postgres_connections_max{{{OF}}})",
                    "{{instance}} {{pool}}",
                )
            ],
            "percentunit",
            limits=[(1, RED)],
            top=1,
            alert="WebhookPostgresSlow",
        ),
        quantiles(
            "Waits for a connection",
            "Time until a statement got its connection, the 95 % quantile. A wait of 5 s ends with an error, and is"
            " counted, too.",
            "webhook_postgres_wait_seconds",
            by=("pool",),
            matchers=OF,
            limits=[(1, YELLOW)],
            alert="WebhookPostgresSlow",
        ),
        lines(
            "Connections to RabbitMQ",
            "1 while the connection is open.",
            shown("webhook_broker_connected", "{{instance}} {{connection}}", "instance, connection"),
            alert="WebhookBrokerConnectionLost",
        ),
        lines(
            "Reconnects to RabbitMQ",
            "Connections to RabbitMQ that were lost, or left because of Postgres, per minute.",
            [
                (
                    f"60 * sum by (instance, connection) (rate(webhook_broker_reconnects_total{{{OF}}}{RATES}))",
                    "{{instance}} {{connection}}",
                )
            ],
            "opm",
            alert="WebhookBrokerFlaps",
        ),
        lines(
            "RabbitMQ blocks publishers",
            "1 while RabbitMQ accepts no messages from publishers.",
            shown("webhook_broker_blocked"),
            alert="WebhookBrokerBlocked",
        ),
        lines(
            "Build",
            "1 for each process, by version.",
            shown("webhook_build_info", "{{version}} {{instance}}", "version, instance"),
            alert="WebhookVersionsMixed",
        ),
    )


def housekeeping():
    return row(
        "Old rows",
        lines(
            "Removed rows",
            "Rows per second that were removed after the retention period.",
            each("webhook_old_rows_removed_total", "{{table}}", "table"),
            "ops",
            width=12,
            stacked=True,
            alert="WebhookRetentionBehind",
        ),
        lines(
            "Counted by",
            "The totals of all dispatchers as each process shows them: one dispatcher at a time counts, the others have"
            " no line.",
            [(f"webhook_dispatchers{{{OF}}} >= 0", "{{instance}}")],
            width=12,
            alert="WebhookTotalsUncounted",
        ),
    )
