"""The API: requests to REST and portal, published events, credentials, connections."""

from .panels import RED, YELLOW, choice, dashboard, lines, number, quantiles, row

OF = 'job=~"$job",instance=~"$instance"'
RATES = "[$__rate_interval]"
PUBLIC = f'{OF},route!="health"'


def make():
    return dashboard(
        "webhooks-api",
        "Webhooks: API and portal",
        "Requests by part of the API or portal, published events, refused credentials, and connections.",
        [requests(), events(), dependencies()],
        [
            choice("job", "Service", "label_values(webhook_http_requests_total, job)"),
            choice("instance", "Process", 'label_values(webhook_http_requests_total{job=~"$job"}, instance)'),
        ],
    )


def requests():
    errors = (
        f'sum(rate(webhook_http_requests_total{{{PUBLIC},status_class="5xx"}}{RATES})) /'
        f" sum(rate(webhook_http_requests_total{{{PUBLIC}}}{RATES}))"
    )
    slow = (
        f'1 - sum(rate(webhook_http_request_duration_seconds_bucket{{{PUBLIC},le=~"2|2[.]0"}}{RATES})) /'
        f" sum(rate(webhook_http_request_duration_seconds_count{{{PUBLIC}}}{RATES}))"
    )
    return row(
        "Requests",
        number(
            "Requests that fail",
            "Share of requests answered with a status of 500 or more.",
            errors,
            "percentunit",
            limits=[(0.01, YELLOW), (0.05, RED)],
            alert="WebhookApiErrors",
        ),
        number(
            "Slow requests",
            "Share of requests that took longer than 2 s.",
            slow,
            "percentunit",
            limits=[(0.01, YELLOW), (0.05, RED)],
            alert="WebhookApiSlow",
        ),
        lines(
            "Requests by status",
            "Requests per second by class of the response's status.",
            [(f"sum by (status_class) (rate(webhook_http_requests_total{{{PUBLIC}}}{RATES}))", "{{status_class}}")],
            "reqps",
            stacked=True,
            alert="WebhookApiErrors",
        ),
        lines(
            "Requests by part",
            "Requests per second by part of the API and the portal.",
            [(f"sum by (route) (rate(webhook_http_requests_total{{{PUBLIC}}}{RATES}))", "{{route}}")],
            "reqps",
            stacked=True,
        ),
        lines(
            "Failures by part",
            "Requests per second answered with a status of 500 or more.",
            [
                (
                    f'sum by (route) (rate(webhook_http_requests_total{{{PUBLIC},status_class="5xx"}}{RATES}))',
                    "{{route}}",
                )
            ],
            "reqps",
            alert="WebhookApiErrors",
        ),
        quantiles(
            "Durations",
            "Time from the head of a request to the head of its response.",
            "webhook_http_request_duration_seconds",
            matchers=PUBLIC,
            limits=[(2, YELLOW)],
            alert="WebhookApiSlow",
        ),
        quantiles(
            "Durations by part",
            "Time from the head of a request to the head of its response, the 95 % quantile.",
            "webhook_http_request_duration_seconds",
            by=("route",),
            matchers=PUBLIC,
            alert="WebhookApiSlow",
        ),
    )


def events():
    return row(
        "Events, limits and credentials",
        lines(
            "Events over HTTP",
            "Events per second by RabbitMQ's answer. 202 goes with confirmed only.",
            [(f"sum by (result) (rate(webhook_events_published_total{{{OF}}}{RATES}))", "{{result}}")],
            "ops",
            stacked=True,
            alert="WebhookPublishingFails",
        ),
        lines(
            "Requests beyond the limit of a key",
            "Requests per second refused with 429, as the API key had used its requests per second.",
            [(f"sum(rate(webhook_http_requests_limited_total{{{OF}}}{RATES}))", "429")],
            "reqps",
        ),
        lines(
            "Refused credentials",
            "Refused credentials per minute. Sessions expire, so refused sessions are normal.",
            [(f"60 * sum by (by) (rate(webhook_sign_in_failures_total{{{OF}}}{RATES}))", "{{by}}")],
            "opm",
            limits=[(20, YELLOW)],
            alert="WebhookSignInFailures",
        ),
        lines(
            "Deliveries cancelled by admins",
            "Deliveries per second that the API ended by cancelling.",
            [(f'sum(rate(webhook_deliveries_ended_total{{{OF},status="cancelled"}}{RATES}))', "cancelled")],
            "ops",
        ),
    )


def dependencies():
    return row(
        "Postgres and RabbitMQ",
        lines(
            "Connections to Postgres",
            "Open connections of each replica. None: Postgres is away, or no request needs Postgres.",
            [(f"sum by (instance, state) (webhook_postgres_connections{{{OF}}})", "{{instance}} {{state}}")],
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
            "Time until a statement got its connection. A wait of 5 s ends with an error, and is counted, too.",
            "webhook_postgres_wait_seconds",
            matchers=OF,
            limits=[(1, YELLOW)],
            alert="WebhookPostgresSlow",
        ),
        lines(
            "Connection to RabbitMQ",
            "1 while the publisher is connected.",
            [(f'sum by (instance) (webhook_broker_connected{{{OF},connection="publisher"}})', "{{instance}}")],
            alert="WebhookBrokerConnectionLost",
        ),
        lines(
            "Reconnects to RabbitMQ",
            "Connections to RabbitMQ that were lost, per minute.",
            [(f"60 * sum by (instance) (rate(webhook_broker_reconnects_total{{{OF}}}{RATES}))", "{{instance}}")],
            "opm",
            alert="WebhookBrokerFlaps",
        ),
        lines(
            "RabbitMQ blocks publishers",
            "1 while RabbitMQ accepts no messages from publishers.",
            [(f"max by (instance) (webhook_broker_blocked{{{OF}}})", "{{instance}}")],
            alert="WebhookBrokerBlocked",
        ),
        lines(
            "Build",
            "1 for each process, by version.",
            [(f"sum by (version, instance) (webhook_build_info{{{OF}}})", "{{version}} {{instance}}")],
            alert="WebhookVersionsMixed",
        ),
    )
