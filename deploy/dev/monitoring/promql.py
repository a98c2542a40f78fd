"""Names in queries: each metric, label, value and bucket must be declared in the table of metrics."""

import re

# Labels that Prometheus adds, and that alert rules have.
FOREIGN = {
    "up": {},
    "ALERTS": {"alertname": None, "alertstate": ["firing", "pending"], "severity": ["page", "ticket"], "concern": None},
}
ADDED = ("job", "instance")
JOBS = ("webhook-api", "webhook-dispatcher")
RECORDED = re.compile(r"webhook:[a-z_]+:[a-z0-9_]+")
# A name, perhaps with matchers in braces.
SELECTOR = re.compile(r"(?<![\w:$\"])((?:webhook[_:]|up\b|ALERTS\b)[\w:]*)\s*(?:\{([^{}]*)\})?")
MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
SUFFIX = re.compile(r"_(bucket|count|sum)$")
# What Grafana puts in before the query is sent.
VARIABLE = re.compile(r"\$(\w+|\{\w+\})")


def findings(query, metrics, recorded=()):
    """What a query names and the table does not know."""
    query, groups = bare(query), GROUPING.findall(query)
    labels = set(ADDED) | {"le"}
    seen = False
    for name, matchers in SELECTOR.findall(query):
        seen = True
        if RECORDED.fullmatch(name):
            if name not in recorded:
                yield f"no rule records {name}"
            continue
        known = labels_of(name, metrics)
        if known is None:
            yield f"no metric has the name {name}"
            continue
        labels |= set(known)
        yield from matcher_findings(name, matchers, known)
    if not seen:
        yield f"no metric is named in {query!r}"
    for group in groups:
        for label in re.findall(r"\w+", group):
            if label not in labels:
                yield f"no metric of the query has the label {label}"


def bare(query):
    """A query without comments and without lists of labels, which look like names of metrics."""
    return GROUPING.sub("", re.sub(r"#.*", "", query))


def labels_of(name, metrics):
    """Labels with their values, None: any value. None instead of all: no metric has the name."""
    if name in FOREIGN:
        return {**FOREIGN[name], "job": list(JOBS), "instance": None}
    metric, part = metrics.get(name), None
    if metric is None or metric.kind == "histogram":
        part = SUFFIX.search(name)
        metric = metrics.get(SUFFIX.sub("", name)) if part else None
        if metric is None or metric.kind != "histogram":
            return None
    known = {label: values or None for label, values in metric.labels.items()}
    if part and part[1] == "bucket":
        known["le"] = [text for bound in metric.bounds for text in bound_texts(bound)] + ["+Inf"]
    return {**known, "job": list(metric.services), "instance": None}


def bound_texts(bound):
    """A bound as Prometheus 2 and Prometheus 3 write the label."""
    short = f"{bound:g}" if bound < 1e6 else str(int(bound))
    return [short] if "." in short else [short, f"{short}.0"]


def matcher_findings(name, matchers, known):
    rest = matchers
    while rest.strip():
        matcher = MATCHER.match(rest)
        if matcher is None:
            yield f"{name}{{{matchers}}}: unreadable matchers"
            return
        rest = rest[matcher.end() :]
        label, operator, value = matcher[1], matcher[2], matcher[3]
        if label not in known:
            yield f"{name} has no label {label}"
        elif known[label] is not None and not VARIABLE.search(value):
            for alternative in [value] if operator in ("=", "!=") else alternatives(value):
                if not matches(operator, alternative, known[label]):
                    yield f"{label} of {name} is never {alternative}"


def alternatives(pattern):
    """The branches of a pattern without groups; a pattern with groups as a whole."""
    return [pattern] if "(" in pattern else pattern.split("|")


def matches(operator, text, values):
    if operator in ("=", "!="):
        return text in values
    return any(re.fullmatch(text, value) for value in values)


def named(query):
    """The metrics that a query names, without the suffixes of histograms: (name, name without suffix)."""
    return {part for name, _ in SELECTOR.findall(bare(query)) for part in (name, SUFFIX.sub("", name))}


def plain(query):
    """A query of a dashboard as Grafana sends the query: variables replaced by some value."""
    known = {"__rate_interval": "5m", "__interval": "1m", "__range": "1h"}
    return VARIABLE.sub(lambda found: known.get(found[1].strip("{}"), ".*"), query)
