#!/usr/bin/env python3
"""Checks alert rules, their tests, the runbook and the dashboards against each other and against the table of metrics.

    deploy/dev/monitoring.py --check   tells every broken rule
    deploy/dev/monitoring.py --test    the unit tests of this script

`./dev monitoring` runs the script with its tools. The exit code is 1 when a rule is broken. Rules are functions in the
folder `monitoring/` beside this file.
"""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTAL = "crates/webhook-portal/src/lib.rs"


def sources():
    """The text of all Rust files, for log lines."""
    paths = sorted((ROOT / "crates").glob("*/src/**/*.rs"))
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def check():
    from monitoring import alerts, catalogue, dashboards, promtool, runbook

    metrics = catalogue.read(ROOT)
    rules, tests = alerts.load(ROOT, alerts.RULES), alerts.load(ROOT, alerts.TESTS)
    names, recorded = [rule["alert"] for rule in alerts.alerts(rules)], alerts.recorded(rules)
    text = (ROOT / runbook.RUNBOOK).read_text(encoding="utf-8")
    documents = [make() for make in dashboards.DASHBOARDS.values()]

    found = list(alerts.findings(rules, tests, metrics)) + list(alerts.series_findings(rules, tests, metrics))
    found += runbook.findings(text, names, metrics, recorded, sources(), (ROOT / PORTAL).read_text(encoding="utf-8"))
    found += dashboards.stale(ROOT)
    found += dashboards.unseen(documents, metrics)
    for document in documents:
        found += dashboards.findings(document, metrics, recorded, names)
        lost = dashboards.lost(document)
        if lost is None:
            print(f"NOT CHECKED by Grafana's types: {document['title']}, as the Foundation SDK is not installed")
        found += lost or []

    queries = [
        (f"{document['title']}: {place}", query)
        for document in documents
        for part in dashboards.queries(document)
        for place, query in part
    ]
    queries += [(runbook.RUNBOOK, query) for query in runbook.queries(text)]
    found += promtool.check_rules(sorted(ROOT.glob(alerts.RULES)))
    found += promtool.check_queries(queries)
    found += promtool.run_tests(sorted(ROOT.glob(alerts.TESTS)))
    panels = sum(len(dashboards.panels(document)) for document in documents)
    print(
        f"checked {len(names)} alerts, {len(documents)} dashboards with {panels} panels, {len(queries)} queries,"
        f" {len(metrics)} metrics"
    )
    for offender in found:
        print(f"FAIL  {offender}")
    return 1 if found else 0


def main(arguments):
    if arguments == ["--test"]:
        unittest.main(module="monitoring.tests", argv=["monitoring.py"])
    if arguments == ["--check"]:
        return check()
    print(__doc__.strip())
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
