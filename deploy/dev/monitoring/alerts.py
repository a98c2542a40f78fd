"""Alert rules: each has severity, concern, texts and two tests, and names only what the table of metrics has."""

import re

import yaml

from . import promql

RULES = "deploy/prometheus/alerts*.yml"
TESTS = "deploy/prometheus/tests/*.yml"
SEVERITIES = ("page", "ticket")
CONCERNS = ("ours", "receivers", "publishers", "capacity")
RUNBOOK = "docs/runbook.md"


def load(root, pattern):
    """The documents of the files, by name."""
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(root.glob(pattern))}


def rules(documents):
    return [rule for document in documents.values() for group in document["groups"] for rule in group["rules"]]


def recorded(documents):
    return {rule["record"] for rule in rules(documents) if "record" in rule}


def alerts(documents):
    return [rule for rule in rules(documents) if "alert" in rule]


def findings(documents, tests, metrics):
    names = [rule["alert"] for rule in alerts(documents)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: two rules have the name"
    for rule in rules(documents):
        name = rule.get("alert") or rule["record"]
        for finding in promql.findings(rule["expr"], metrics, recorded(documents)):
            yield f"{name}: {finding}"
    for rule in alerts(documents):
        yield from (f"{rule['alert']}: {finding}" for finding in rule_findings(rule))
    yield from test_findings(names, tests)


def rule_findings(rule):
    labels, texts = rule.get("labels", {}), rule.get("annotations", {})
    if "for" not in rule:
        yield "no `for`"
    if labels.get("severity") not in SEVERITIES:
        yield f"severity is none of {', '.join(SEVERITIES)}"
    if labels.get("concern") not in CONCERNS:
        yield f"concern is none of {', '.join(CONCERNS)}"
    # Others' matters wake nobody of ours.
    if labels.get("severity") == "page" and labels.get("concern") != "ours":
        yield "pages, and is not our concern"
    if texts.get("runbook") != f"{RUNBOOK}#{rule['alert'].lower()}":
        yield f"runbook is not {RUNBOOK}#{rule['alert'].lower()}"
    if not texts.get("summary") or texts["summary"].endswith("."):
        yield "no summary, or a summary with a full stop"
    if not re.search(r"\.$", texts.get("description", "")):
        yield "no description in sentences"
    # The value of an alert about 0, 1 or absence is always the same.
    telling = not re.search(r"^absent\(|== [01]$", rule["expr"])
    if telling and "$value" not in texts.get("summary", "") + texts.get("description", ""):
        yield "neither summary nor description has the value"


def test_findings(names, tests):
    """Each alert has a test in which it fires, and one with series of the rule's own metrics in which it is quiet."""
    fires, quiet = set(), set()
    for document in tests.values():
        for test in document["tests"]:
            for expected in test.get("alert_rule_test", []):
                (fires if expected.get("exp_alerts") else quiet).add(expected["alertname"])
    for name in names:
        if name not in fires:
            yield f"{name}: no test in which the alert fires"
        if name not in quiet:
            yield f"{name}: no test in which the alert stays quiet"
    for name in sorted((fires | quiet) - set(names)):
        yield f"{name}: a test of an alert that no rule has"


def series_findings(documents, tests, metrics):
    """Series of tests are of declared metrics, and each quiet test has a series that its rule reads: a test without
    one would be quiet whatever the rule says."""
    by_name = {rule["alert"]: rule for rule in alerts(documents)}
    records = {rule["record"]: rule["expr"] for rule in rules(documents) if "record" in rule}
    for file, document in tests.items():
        for test in document["tests"]:
            series = [one["series"] for one in test["input_series"]]
            there = {name for one in series for name in promql.named(one)}
            for one in series:
                if not one.startswith("up{"):
                    yield from (f"{file}: {finding}" for finding in promql.findings(one, metrics))
            for expected in test.get("alert_rule_test", []):
                rule = by_name.get(expected["alertname"])
                if rule and not there & read_by(rule["expr"], records):
                    yield f"{file}: {test['name']}: no series that the rule reads"


def read_by(query, records):
    """Metrics that a query reads, itself or by recorded rules."""
    names = promql.named(query)
    return names | {name for record in names & set(records) for name in promql.named(records[record])}
