#!/usr/bin/env python3
"""Makes and checks the files that run the product: Kubernetes, Helm, systemd, Debian, compose. No cluster is needed.

    deploy/dev/manifests.py           makes the Helm chart, the alerts and the dashboards of the overlay
    deploy/dev/manifests.py --check   tells made files that are not up to date, and every broken rule
    deploy/dev/manifests.py --test    the unit tests of this script

`./dev manifests` runs the script with its tools (manifests/tools.txt). The exit code is 1 when a rule is broken.
Rules are functions in the folder `manifests/` beside this file: schemas of Kubernetes, then rules of our own.
"""

import re
import shutil
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASE, OVERLAY, CHART = (ROOT / "deploy" / path for path in ("kubernetes/base", "kubernetes/production", "helm/webhooks"))
# Values of the chart that the check renders beside the defaults: everything on, and every value of another kind.
FULL = {
    "api": {"extraEnv": [{"name": "KEY_RATE_LIMIT", "value": "50"}], "image": {"repository": "registry.example.com/webhook-api"}},
    "dispatcher": {"extraEnv": [{"name": "LANE_CONCURRENCY", "value": "8"}]},
    "imagePullSecrets": [{"name": "registry"}],
    "secrets": {"services": "other", "migration": "other-migration", "scaler": "other-scaler"},
    "networkPolicy": {"postgres": [{"ipBlock": {"cidr": "192.0.2.10/32"}}]},
    "ingress": {"enabled": True},
    "scaling": {"enabled": True},
    "monitoring": {"serviceMonitors": True, "alerts": True, "dashboards": True, "labels": {"release": "prometheus"}},
}


def tool(name):
    """A program of the tools' environment, which is that of the running Python; else None."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else None


def docker_compose():
    """docker compose as a package has the program, where there is one for this Python."""
    try:
        import compose
    except ImportError:
        return None
    program = Path(compose.__file__).parent / "docker-compose"
    program.chmod(0o755)
    return str(program)


def workspace_version():
    return re.search(r'^\[workspace\.package\]\nversion = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]


def made():
    """Paths and texts of all made files."""
    from manifests import alerts, chart, dashboards
    from manifests.objects import kustomized

    kubectl = tool("kubectl")
    made_copies = {**alerts.files(ROOT), **dashboards.files(ROOT)}
    base, overlay = kustomized(kubectl, BASE, "base"), kustomized(kubectl, OVERLAY, "overlay")
    return {**made_copies, **chart.files(base, overlay, workspace_version())}


def write():
    """Writes what is made, and removes made files that are made no longer."""
    texts = made()
    for path, text in texts.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
    for path in leftover(texts):
        (ROOT / path).unlink()
    tell_alerts()


def leftover(texts):
    folders = [CHART, OVERLAY / "alerts", OVERLAY / "dashboards"]
    there = {str(path.relative_to(ROOT)) for folder in folders for path in folder.rglob("*") if path.is_file()}
    return sorted(there - set(texts))


def tell_alerts():
    from manifests import alerts

    if alerts.groups(ROOT) is None:
        print(f"note  no {alerts.SOURCE}: the overlay and the chart have no alerts")


def stale():
    texts = made()
    for path, text in texts.items():
        if not (ROOT / path).is_file() or (ROOT / path).read_text() != text:
            yield f"{path}: not up to date: run ./dev manifests"
    for path in leftover(texts):
        yield f"{path}: made no longer: run ./dev manifests"


def renderings():
    from manifests.objects import charted, kustomized

    kubectl = tool("kubectl")
    yield kustomized(kubectl, BASE, "base")
    yield kustomized(kubectl, OVERLAY, "overlay")
    yield charted(CHART, "chart", {})
    yield charted(CHART, "chart with all values", FULL)


def charts_findings():
    """What Helm itself finds, and whether the chart refuses a misspelt value."""
    import helm_python

    for message in helm_python.lint(CHART, FULL, strict=True)["messages"]:
        if message["severity"] >= 2:
            yield f"helm lint: {message['path']}: {message['error']}"
    with helm_python.Chart.load(CHART) as chart:
        try:
            chart.validate_schema({"dispatcher": {"replica": 3}})
            yield "values.schema.json: a misspelt value is not refused"
        except helm_python.HelmError:
            pass


def check():
    from manifests import compose, flags, rules, schemas, systemd

    known, version, found = flags.flags(ROOT), workspace_version(), list(stale())
    counted = {}
    for rendered in renderings():
        counted[rendered.name] = len(rendered.objects)
        found += schemas.findings(rendered)
        found += rules.findings(rendered, known, version)
    found += charts_findings()
    found += compose.findings(ROOT, docker_compose(), known)
    if shutil.which("systemd-analyze"):
        found += systemd.findings(ROOT, known)
    else:
        print("NOT CHECKED: units and the Debian package, as there is no systemd-analyze")
    if docker_compose() is None:
        print("NOT CHECKED by docker compose: the compose file, as the tools have none for this Python")
    tell_alerts()
    print("checked " + ", ".join(f"{name}: {count} objects" for name, count in counted.items()))
    for offender in found:
        print(f"FAIL  {offender}")
    return 1 if found else 0


def main(arguments):
    if arguments == ["--test"]:
        unittest.main(module="manifests.tests", argv=["manifests.py"])
    if arguments == ["--check"]:
        return check()
    if arguments:
        print(__doc__.strip())
        return 2
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
