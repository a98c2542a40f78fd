"""The parts of dashboards: rows, panels, variables, links, as Grafana stores them."""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"
WIDTH, HEIGHT = 24, 8
QUANTILES = ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))


def row(title, *panels):
    return {"title": title, "panels": list(panels)}


def lines(title, description, queries, unit="short", width=8, limits=(), alert=None, stacked=False, top=None):
    """A chart of values over time. `queries`: pairs of query and legend. `limits`: pairs of value and color."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 25 if stacked else 5,
        "showPoints": "never",
        "spanNulls": False,
    }
    custom["stacking"] = {"mode": "normal" if stacked else "none", "group": "A"}
    custom["thresholdsStyle"] = {"mode": "line+area" if limits else "off"}
    defaults = {
        "unit": unit,
        "min": 0,
        "color": {"mode": "palette-classic"},
        "thresholds": thresholds(limits),
        "custom": custom,
    }
    if top is not None:
        defaults["max"] = top
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, description, queries, defaults, options, width, alert)


def number(
    title, description, query, unit="short", width=4, limits=(), alert=None, words=None, base=GREEN, height=HEIGHT
):
    """A single value. `words`: texts by value."""
    defaults = {
        "unit": unit,
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(limits, base),
        "noValue": "no value",
    }
    if words:
        defaults["mappings"] = [
            {
                "type": "value",
                "options": {value: {"text": text, "index": place} for place, (value, text) in enumerate(words)},
            }
        ]
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
    }
    return {**panel("stat", title, description, [(query, "")], defaults, options, width, alert), "height": height}


def quantiles(title, description, metric, unit="s", width=8, limits=(), alert=None, by=(), matchers="", **more):
    """Three quantiles of a histogram over time, for each value of the labels `by`."""
    grouping = ", ".join(("le", *by))
    legend = "".join(f" {{{{{label}}}}}" for label in by)
    queries = [
        (
            f"histogram_quantile({share}, sum by ({grouping}) (rate({metric}_bucket{{{matchers}}}[$__rate_interval])))",
            word + legend,
        )
        for share, word in (QUANTILES if not by else QUANTILES[1:2])
    ]
    return lines(title, description, queries, unit, width, limits, alert, **more)


def alerts_panel(title, description, query, width=24):
    """The states of alerts over time, a line an alert."""
    defaults = {
        "color": {"mode": "thresholds"},
        "thresholds": thresholds([(2, RED)], YELLOW),
        "custom": {"fillOpacity": 80, "lineWidth": 0},
        "mappings": [
            {"type": "value", "options": {"1": {"text": "ticket", "index": 0}, "2": {"text": "page", "index": 1}}}
        ],
    }
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
        "mergeValues": True,
        "showValue": "auto",
        "rowHeight": 0.8,
        "alignValue": "left",
    }
    return panel("state-timeline", title, description, [(query, "{{alertname}}")], defaults, options, width, None)


def text(title, content, width, height):
    """Markdown."""
    code = {"language": "plaintext", "showLineNumbers": False, "showMiniMap": False}
    return {
        "type": "text",
        "title": title,
        "options": {"mode": "markdown", "content": content, "code": code},
        "width": width,
        "height": height,
    }


def panel(kind, title, description, queries, defaults, options, width, alert):
    found = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [target(place, query, legend) for place, (query, legend) in enumerate(queries)],
        "width": width,
        "height": HEIGHT,
    }
    if alert:
        link = {
            "title": f"Runbook: {alert}",
            # Filled in by `dashboards`, which knows the panels of the runbook.
            "url": "",
            "targetBlank": True,
            "type": "link",
        }
        found["links"] = [
            {
                **link,
                "icon": "doc",
                "tooltip": "",
                "tags": [],
                "asDropdown": False,
                "includeVars": False,
                "keepTime": False,
            }
        ]
    return found


def target(place, query, legend):
    return {
        "refId": chr(ord("A") + place),
        "datasource": SOURCE,
        "expr": query,
        "legendFormat": legend or "__auto",
        "range": True,
        "editorMode": "code",
    }


def thresholds(limits, base=GREEN):
    return {
        "mode": "absolute",
        "steps": [{"color": base, "value": None}, *({"color": color, "value": value} for value, color in limits)],
    }


def dashboard(uid, title, description, rows, variables):
    """The whole document: panels flow from left to right, and a row begins below the highest panel."""
    panels, top = [], 0
    for one in rows:
        panels.append(
            {
                "type": "row",
                "title": one["title"],
                "collapsed": False,
                "panels": [],
                "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top},
            }
        )
        left, top, highest = 0, top + 1, 0
        for found in one["panels"]:
            height, width = found["height"], found["width"]
            if left + width > WIDTH:
                left, top, highest = 0, top + highest, 0
            position = {"h": height, "w": width, "x": left, "y": top}
            panels.append(
                {**{key: value for key, value in found.items() if key not in ("width", "height")}, "gridPos": position}
            )
            left, highest = left + width, max(highest, height)
        top += highest
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["webhooks"],
        "timezone": "browser",
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": 41,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timepicker": {},
        "annotations": {"list": []},
        "links": [between_dashboards()],
        # A document without queries asks for no source of data.
        "templating": {"list": [datasource(), *variables] if any("datasource" in one for one in panels) else []},
        "panels": [{"id": place, **one} for place, one in enumerate(panels, 1)],
    }


def between_dashboards():
    link = {
        "title": "Webhooks",
        "type": "dashboards",
        "icon": "dashboard",
        "tooltip": "",
        "url": "",
        "tags": ["webhooks"],
    }
    return {**link, "asDropdown": False, "targetBlank": False, "includeVars": False, "keepTime": True}


def datasource():
    current = {"text": "Prometheus", "value": "prometheus"}
    return {
        "name": "datasource",
        "type": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "current": current,
        "hide": 0,
    }


def choice(name, label, query):
    """A variable with the values of a label, all of them at first."""
    return {
        "name": name,
        "type": "query",
        "label": label,
        "datasource": SOURCE,
        "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }
