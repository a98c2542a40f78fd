"""The runbook: an entry for each alert, with queries, pages and log lines that exist."""

import re

from . import promql
from .alerts import RUNBOOK

PARTS = ("**Means.**", "**Look at.**", "**Do.**")
ENTRY = re.compile(r"^### (\w+)$", re.MULTILINE)
QUERY = re.compile(r"^```promql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A log line: "log of the API: `text`". An ellipsis stands for a value.
LOG = re.compile(r"[Ll]og of (?:the API|a dispatcher|both services): ((?:`[^`]+`(?:, |,? and )?)+)")
PAGE = re.compile(r"`/admin(/[^`?#]*)[^`]*`")
ROUTE = re.compile(r'\(\s*"(/[^"]*)",\s*vec!\[')
CONTINUED = re.compile(r"\\\n\s*")


def entries(text):
    """Entries by name: the text from a heading of the third level to the next heading."""
    parts = re.split(r"^(?=#{1,3} )", text, flags=re.MULTILINE)
    return {ENTRY.match(part)[1]: part for part in parts if ENTRY.match(part)}


def queries(text):
    return [query.strip() for query in QUERY.findall(text)]


def findings(text, names, metrics, recorded, sources, portal):
    """Broken rules. `sources`: the text of all Rust files; `portal`: the text of the file with the table of pages."""
    found = entries(text)
    headings = ENTRY.findall(text)
    for name in sorted({name for name in headings if headings.count(name) > 1}):
        yield f"{name}: two entries"
    for name in sorted(set(names) - set(found)):
        yield f"{name}: no entry"
    for name in sorted(set(found) - set(names)):
        yield f"{name}: an entry without an alert"
    for name, entry in found.items():
        places = [entry.find(part) for part in PARTS]
        if -1 in places or places != sorted(places):
            yield f"{name}: the parts are not {', '.join(PARTS)}"
    for query in queries(text):
        yield from promql.findings(query, metrics, recorded)
    yield from log_findings(text, sources)
    yield from page_findings(text, portal)


def log_findings(text, sources):
    """Each log line is written by the code: the words between the placeholders, in this order, in one literal."""
    sources = CONTINUED.sub("", sources)
    flat = re.sub(r"\s+", " ", text)
    for lines in LOG.findall(flat):
        for line in re.findall(r"`([^`]+)`", lines):
            pieces = [re.escape(piece) for piece in line.split("…")]
            if not re.search(r"[^\"\n]*".join(pieces), sources):
                yield f"no log line says {line!r}"


def page_findings(text, portal):
    routes = ["/sign-in", *ROUTE.findall(portal)]
    patterns = [re.sub(r"\{\w+\}", "[^/]+", route) for route in routes]
    for page in PAGE.findall(text):
        if not any(re.fullmatch(pattern, page) for pattern in patterns):
            yield f"the portal has no page /admin{page}"
