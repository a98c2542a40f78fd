"""Each rule is seen to hold and to fail."""

import copy
import unittest
from pathlib import Path

from . import alerts, catalogue, dashboards, promql, promtool, runbook, runbook_dashboard
from .catalogue import UnknownForm

ROOT = Path(__file__).resolve().parents[3]
METRICS = catalogue.read(ROOT)
LABEL = 'const END: Label = Label {\n    name: "status",\n    values: &["succeeded", "failed"],\n};\n'
COUNTER = (
    'pub static ENDED: Counter = Counter::new(\n    "webhook_ended_total",\n    BOTH,\n    "Ended, of'
    ' \\"all\\"",\n)\n.by(&[END]);\n'
)


class Catalogue(unittest.TestCase):
    def test_a_metric_is_read_with_its_labels_and_services(self):
        metric = catalogue.parse(LABEL + COUNTER, "attempts.rs")["ENDED"]
        self.assertEqual(
            (metric.name, metric.kind, metric.labels),
            ("webhook_ended_total", "counter", {"status": ["succeeded", "failed"]}),
        )
        self.assertEqual(metric.services, ("webhook-api", "webhook-dispatcher"))

    def test_a_histogram_has_its_bounds(self):
        text = (
            "const SECONDS: &[f64] = &[0.5, 1.0, 3_600.0];\npub static A: Histogram ="
            ' Histogram::new("webhook_a_seconds", SECONDS, API, "A");\n'
        )
        self.assertEqual(catalogue.parse(text, "a.rs")["A"].bounds, [0.5, 1.0, 3600.0])

    def test_unknown_forms_are_refused(self):
        changed = [
            (LABEL, LABEL.replace('&["succeeded", "failed"]', "END_VALUES")),
            (COUNTER, COUNTER.replace('"webhook_ended_total"', "ENDED_NAME")),
            (COUNTER, COUNTER.replace("BOTH", "EVERYWHERE")),
            (COUNTER, COUNTER.replace("&[END]", "&[OTHER]")),
            (COUNTER, COUNTER.replace("Counter::new", "Gauge::new")),
            (COUNTER, COUNTER.replace("pub static", "pub const")),
        ]
        for before, after in changed:
            with self.assertRaises(UnknownForm, msg=after):
                catalogue.parse((LABEL + COUNTER).replace(before, after), "attempts.rs")

    def test_the_table_of_the_repository_is_read(self):
        self.assertIn("rate_limit", METRICS["webhook_deliveries_due"].labels["held_by"])
        self.assertEqual(METRICS["webhook_http_requests_total"].services, ("webhook-api",))


class Queries(unittest.TestCase):
    def assert_told(self, text, query):
        found = list(promql.findings(query, METRICS, {"webhook:late_first_attempts:ratio_5m"}))
        self.assertTrue(any(text in finding for finding in found), (query, found))

    def test_sound_queries_have_no_finding(self):
        for query in (
            'sum by (response) (rate(webhook_attempts_total{response=~"dns|tls",job="webhook-dispatcher"}[5m]))',
            'histogram_quantile(0.9, sum by (le) (rate(webhook_event_to_success_seconds_bucket{le!="+Inf"}[5m])))',
            'webhook_drain_seconds{instance=~"$instance"} > webhook:late_first_attempts:ratio_5m',
            'sum(webhook_event_to_first_attempt_seconds_bucket{le=~"5|5[.]0"})',
            'up{job="webhook-api"} == 0',
        ):
            self.assertEqual(list(promql.findings(query, METRICS, {"webhook:late_first_attempts:ratio_5m"})), [], query)

    def test_unknown_names_labels_and_values_are_told(self):
        self.assert_told("no metric has the name webhook_attempt_total", "rate(webhook_attempt_total[5m])")
        self.assert_told("no rule records", "webhook:late_first_attempts:ratio_7m > 1")
        self.assert_told("has no label result", 'webhook_attempts_total{result="accepted"}')
        self.assert_told("is never acepted", 'webhook_attempts_total{outcome="acepted"}')
        self.assert_told("is never dsn", 'webhook_attempts_total{response=~"tls|dsn"}')
        self.assert_told("is never dsn", 'webhook_attempts_total{response!="dsn"}')
        self.assert_told("no metric of the query has the label outcom", "sum by (outcom) (webhook_attempts_total)")
        self.assert_told("no metric is named", "vector(1)")

    def test_a_metric_of_another_service_or_bucket_is_told(self):
        self.assert_told("job of webhook_lanes is never webhook-api", 'webhook_lanes{job="webhook-api"}')
        self.assert_told("is never 7", 'webhook_event_to_success_seconds_bucket{le="7"}')
        # A histogram has no series of its own name, and a counter none with the suffix of a histogram.
        self.assert_told("no metric has the name", "webhook_event_to_success_seconds > 1")
        self.assert_told("no metric has the name", "webhook_attempts_total_bucket")


def rule(**changed):
    return {
        "alert": "WebhookLag",
        "expr": "max(webhook_oldest_due_seconds) > 900",
        "for": "5m",
        "labels": {"severity": "page", "concern": "ours"},
        "annotations": {
            "summary": "{{ $value }} s of lag",
            "description": "Deliveries wait.",
            "runbook": "docs/runbook.md#webhooklag",
        },
        **changed,
    }


def tests_of(*expected):
    series = [{"series": 'webhook_oldest_due_seconds{job="webhook-dispatcher"}', "values": "1000x9"}]
    found = [{"eval_time": "9m", "alertname": name, "exp_alerts": fired} for name, fired in expected]
    return {"a.yml": {"tests": [{"name": "lag", "input_series": series, "alert_rule_test": found}]}}


BOTH = tests_of(("WebhookLag", [{"exp_labels": {}}]), ("WebhookLag", []))


class Alerts(unittest.TestCase):
    def findings(self, tests, *rules):
        documents = {"alerts.yml": {"groups": [{"name": "a", "rules": list(rules)}]}}
        return list(alerts.findings(documents, tests, METRICS)) + list(
            alerts.series_findings(documents, tests, METRICS)
        )

    def assert_told(self, text, tests, *rules):
        self.assertEqual(self.findings(BOTH, rule()), [])
        found = self.findings(tests, *rules)
        self.assertTrue(any(text in finding for finding in found), found)

    def test_an_alert_without_a_test_that_fires_or_stays_quiet_is_told(self):
        self.assert_told("no test in which the alert fires", tests_of(("WebhookLag", [])), rule())
        self.assert_told(
            "no test in which the alert stays quiet", tests_of(("WebhookLag", [{"exp_labels": {}}])), rule()
        )
        self.assert_told("a test of an alert that no rule has", tests_of(("WebhookGone", [])), rule())

    def test_a_quiet_test_without_series_of_the_rule_is_told(self):
        tests = copy.deepcopy(BOTH)
        tests["a.yml"]["tests"][0]["input_series"][0]["series"] = 'webhook_lanes{job="webhook-dispatcher"}'
        self.assert_told("no series that the rule reads", tests, rule())

    def test_series_of_no_metric_are_told(self):
        tests = copy.deepcopy(BOTH)
        tests["a.yml"]["tests"][0]["input_series"][0]["series"] = "webhook_oldest_due"
        self.assert_told("no metric has the name webhook_oldest_due", tests, rule())

    def test_missing_parts_of_a_rule_are_told(self):
        without_for = rule()
        del without_for["for"]
        self.assert_told("no `for`", BOTH, without_for)
        self.assert_told("severity is none of", BOTH, rule(labels={"severity": "critical", "concern": "ours"}))
        self.assert_told(
            "pages, and is not our concern", BOTH, rule(labels={"severity": "page", "concern": "receivers"})
        )
        texts = rule()["annotations"]
        self.assert_told("runbook is not", BOTH, rule(annotations={**texts, "runbook": "docs/runbook.md#lag"}))
        self.assert_told("has the value", BOTH, rule(annotations={**texts, "summary": "Lag"}))
        self.assert_told("no description in sentences", BOTH, rule(annotations={**texts, "description": "lag"}))

    def test_two_rules_of_a_name_are_told(self):
        self.assert_told("two rules have the name", BOTH, rule(), rule())


ENTRY = """### WebhookLag

**Means.** Lag.

**Look at.** `/admin/overview?span=7d`. Log of a dispatcher: `cannot claim due deliveries: …`.

```promql
max(webhook_oldest_due_seconds)
```

**Do.** Add dispatchers.
"""


class Runbook(unittest.TestCase):
    SOURCES = 'log::warn!("cannot claim due deliveries: {error}"); log::warn!("two \\\n      lines")'
    PORTAL = '("/overview", vec![(GET, READ, to(show))]), ("/jobs/{id}", vec![])'

    def findings(self, text, *names):
        return list(runbook.findings(text, names, METRICS, set(), self.SOURCES, self.PORTAL))

    def assert_told(self, expected, text, *names):
        self.assertEqual(self.findings(ENTRY, "WebhookLag"), [])
        self.assertTrue(
            any(expected in finding for finding in self.findings(text, *names)), self.findings(text, *names)
        )

    def test_rules_and_entries_match_one_to_one(self):
        self.assert_told("WebhookAway: no entry", ENTRY, "WebhookLag", "WebhookAway")
        self.assert_told("an entry without an alert", ENTRY)
        self.assert_told("two entries", ENTRY + ENTRY, "WebhookLag")

    def test_a_missing_part_is_told(self):
        self.assert_told("the parts are not", ENTRY.replace("**Do.** ", ""), "WebhookLag")

    def test_a_log_line_that_no_code_writes_is_told(self):
        self.assert_told("no log line says", ENTRY.replace("claim due", "claim old"), "WebhookLag")
        self.assertEqual(self.findings(ENTRY.replace("cannot claim due deliveries: …", "two lines"), "WebhookLag"), [])

    def test_a_page_that_the_portal_has_not_is_told(self):
        self.assert_told("the portal has no page /admin/lag", ENTRY.replace("overview", "lag"), "WebhookLag")

    def test_a_query_of_no_metric_is_told(self):
        self.assert_told(
            "no metric has the name", ENTRY.replace("webhook_oldest_due_seconds", "webhook_lag"), "WebhookLag"
        )


class Dashboards(unittest.TestCase):
    def setUp(self):
        self.document = dashboards.DASHBOARDS["overview.json"]()
        self.panel = dashboards.panels(self.document)[0]
        self.alerts = ["WebhookFirstAttemptsLate"]

    def assert_told(self, text):
        found = list(dashboards.findings(self.document, METRICS, set(), self.alerts))
        self.assertTrue(any(text in finding for finding in found), found)

    def test_a_query_of_no_metric_is_told(self):
        self.panel["targets"][0]["expr"] = "webhook_lag"
        self.assert_told("no metric has the name webhook_lag")

    def test_a_panel_without_description_or_unit_is_told(self):
        self.panel["description"] = "Lag"
        del self.panel["fieldConfig"]["defaults"]["unit"]
        self.assert_told("no description in sentences")
        self.assert_told("no unit")

    def test_a_link_to_no_entry_and_panels_on_top_of_each_other_are_told(self):
        self.panel["links"][0]["title"] = "Runbook: WebhookGone"
        self.panel["gridPos"]["y"] += 1
        self.assert_told("a link to the entry of no alert")
        self.assert_told("lies over")

    def test_a_link_leads_to_the_panel_of_the_runbook_with_the_same_name(self):
        titles = {panel["id"]: panel["title"] for panel in runbook_dashboard.make()["panels"]}
        for name, make in dashboards.DASHBOARDS.items():
            for link in dashboards.links(make()):
                place, number = link["url"].split("=")
                self.assertEqual(place, "/d/webhooks-runbook?viewPanel", name)
                self.assertEqual("Runbook: " + titles[int(number)], link["title"], name)

    def test_entries_of_the_runbook_link_to_each_other_by_panels(self):
        panels = {panel["title"]: panel for panel in runbook_dashboard.make()["panels"]}
        content = panels["WebhookApiSlow"]["options"]["content"]
        number = panels["WebhookPostgresSlow"]["id"]
        self.assertIn(f"[WebhookPostgresSlow](d/webhooks-runbook?viewPanel={number})", content)

    def test_a_metric_that_no_panel_shows_is_told(self):
        self.assertIn("no dashboard shows webhook_lanes", dashboards.unseen([self.document], METRICS))

    def test_a_field_that_grafana_does_not_know_is_told(self):
        if dashboards.lost(self.document) is None:
            self.skipTest("the Foundation SDK is not installed")
        self.assertEqual(dashboards.lost(self.document), [])
        self.panel["options"]["graphMood"] = "none"
        self.document["graphToolTip"] = 1
        self.assertEqual(len(dashboards.lost(self.document)), 2)


class Promtool(unittest.TestCase):
    def test_a_query_that_prometheus_cannot_parse_is_told_with_its_place(self):
        sound, broken = ("sound", "sum(up)"), ("broken", "sum(up")
        self.assertEqual(promtool.check_queries([sound, ("variables", 'rate(up{job=~"$job"}[$__rate_interval])')]), [])
        found = promtool.check_queries([sound, broken])
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("broken: "), found)
