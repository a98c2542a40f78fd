"""The runbook as a dashboard, a panel for each entry: a link from a panel to the runbook needs no address that an
installation may lack, and works where Grafana works."""

import functools
import re
from pathlib import Path

from . import runbook
from .panels import WIDTH, dashboard, row, text

ROOT = Path(__file__).resolve().parents[3]
UID = "webhooks-runbook"
# A row of the grid shows some 1.5 lines of text; two lines for padding.
LINES_PER_ROW, LINE_COLUMNS = 1.5, 110
LINK = re.compile(r"\]\(#(\w+)\)")


def make():
    """The whole document, of the text of docs/runbook.md."""
    rows = [row(title, *(panel(name, body) for name, body in entries)) for title, entries in sections()]
    found = dashboard(UID, "Webhooks: runbook", "An entry for each alert: meaning, where to look, remedy.", rows, [])
    return with_addresses(found)


@functools.cache
def sections():
    """Sections with their entries, each a title and a text. The words before the first entry of a section are an entry
    of the section's name."""
    parts = re.split(r"^## (.+)$", (ROOT / runbook.RUNBOOK).read_text(encoding="utf-8"), flags=re.MULTILINE)
    titles, bodies = ["How to read the runbook", *parts[1::2]], [parts[0].removeprefix("# Runbook"), *parts[2::2]]
    return [(title, list(entries(title, body))) for title, body in zip(titles, bodies)]


def entries(title, body):
    head, *rest = re.split(r"^### (\w+)$", body, flags=re.MULTILINE)
    if head.strip():
        # A row and a panel of one name would read twice: the panel has no title.
        yield "", head.strip()
    yield from zip(rest[0::2], (one.strip() for one in rest[1::2]))


def panel(name, body):
    lines = sum(1 + len(line) // LINE_COLUMNS for line in body.splitlines())
    return text(name, body, WIDTH, round(2 + lines / LINES_PER_ROW))


@functools.cache
def numbers():
    """The number of each panel that has a title, as `dashboard` counts: rows count as well."""
    counted = [name for title, found in sections() for name in (None, *(name for name, _ in found))]
    return {name: number for number, name in enumerate(counted, 1) if name}


def address(alert):
    """Where Grafana shows an entry alone, below the address of Grafana."""
    return f"d/{UID}?viewPanel={numbers().get(alert, 0)}"


def with_addresses(document):
    """Links between entries lead to the panel of the other entry. Grafana's pages have a base address, so links
    without a leading slash also work where Grafana is below a path."""
    names = {name.lower(): name for name in numbers()}
    for one in document["panels"]:
        if one["type"] == "text":
            options = one["options"]
            options["content"] = LINK.sub(lambda found: f"]({address(names[found[1]])})", options["content"])
    return document
