"""All dashboards: the files, the queries, and whether Grafana's own types can read the documents without a loss."""

import json

from . import api, dispatcher, overview, promql, runbook_dashboard

FOLDER = "deploy/grafana"
DASHBOARDS = {
    "overview.json": lambda: linked(overview.make()),
    "dispatcher.json": lambda: linked(dispatcher.make()),
    "api.json": lambda: linked(api.make()),
    "runbook.json": runbook_dashboard.make,
}
RUNBOOK = "Runbook: "


def linked(document):
    """The document, with the address of each link to the runbook. A leading slash: Grafana puts its own path before."""
    for link in links(document):
        link["url"] = "/" + runbook_dashboard.address(link["title"].removeprefix(RUNBOOK))
    return document


def links(document):
    return [link for panel in document["panels"] for link in panel.get("links", [])]


def made():
    """Paths and texts."""
    return {
        f"{FOLDER}/{name}": json.dumps(make(), indent=2, ensure_ascii=False) + "\n" for name, make in DASHBOARDS.items()
    }


def stale(root):
    texts = made()
    for path, text in texts.items():
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text:
            yield f"{path}: not up to date: run ./dev monitoring"
    for path in sorted(root.glob(f"{FOLDER}/*.json")):
        if str(path.relative_to(root)) not in texts:
            yield f"{path.relative_to(root)}: made by nobody"


def panels(document):
    """Panels with queries."""
    return [panel for panel in document["panels"] if panel["type"] not in ("row", "text")]


def queries(document):
    """Each query with its place: those of panels, and those of variables."""
    found = [(panel["title"], target["expr"]) for panel in panels(document) for target in panel["targets"]]
    variables = document["templating"]["list"]
    asked = [(one["name"], one["query"]["query"]) for one in variables if one["type"] == "query"]
    # label_values(selector, label)
    return found, [(name, query.removeprefix("label_values(").rsplit(",", 1)[0]) for name, query in asked]


def findings(document, metrics, recorded, alerts):
    """Broken rules of a dashboard."""
    title = document["title"]
    asked, of_variables = queries(document)
    for place, query in [*asked, *of_variables]:
        yield from (f"{title}: {place}: {finding}" for finding in promql.findings(query, metrics, recorded))
    titles = [panel["title"] for panel in panels(document)]
    for name in sorted({name for name in titles if titles.count(name) > 1}):
        yield f"{title}: two panels are called {name}"
    for panel in panels(document):
        if not panel["description"].endswith("."):
            yield f"{title}: {panel['title']}: no description in sentences"
        if "unit" not in panel["fieldConfig"]["defaults"] and panel["type"] != "state-timeline":
            yield f"{title}: {panel['title']}: no unit"
        for link in panel.get("links", []):
            if link["title"].removeprefix(RUNBOOK) not in alerts:
                yield f"{title}: {panel['title']}: a link to the entry of no alert"
    yield from (f"{title}: {finding}" for finding in overlaps(document))


def overlaps(document):
    taken = {}
    for panel in document["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                if (x, y) in taken:
                    yield f"{panel['title']} lies over {taken[x, y]}"
                    return
                taken[x, y] = panel["title"]


def unseen(documents, metrics):
    """Metrics of the table that no panel shows."""
    shown = {name for document in documents for _, query in queries(document)[0] for name in promql.named(query)}
    return [f"no dashboard shows {name}" for name in metrics if name not in shown]


def lost(document):
    """What Grafana's types do not know: read and written by its Foundation SDK, such a field is missing or changed.
    None: the SDK is not there."""
    try:
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard
    except ImportError:
        return None
    register_default_plugins()
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(json.dumps(document)))))
    return list(differences(document, again, document["title"]))


def differences(before, after, place):
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            # A threshold's first step has no value.
            if key in after or value is not None:
                yield from differences(value, after.get(key, "no such field"), f"{place}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after)):
            yield from differences(one, other, f"{place}[{number}]")
    elif before != after:
        yield f"{place}: {before!r} is read as {after!r}"
