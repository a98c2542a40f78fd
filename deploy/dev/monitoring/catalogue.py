"""The table of metrics, read from the declarations in Rust: names, kinds, services, labels with their values, bounds.

The reader knows a single form of each item, and raises on every other: a metric that is overlooked would be a metric
that no query may name, or that every query may misspell.
"""

import re
from dataclasses import dataclass, field

FOLDER = "crates/webhook-metrics/src"
KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}
SERVICES = {
    "API": ("webhook-api",),
    "DISPATCHER": ("webhook-dispatcher",),
    "BOTH": ("webhook-api", "webhook-dispatcher"),
}
TEXT = r'"((?:[^"\\]|\\.)*)"'
LIST = rf"&\[\s*((?:{TEXT}\s*,?\s*)*)\]"
LABEL_FIELDS = rf"\{{\s*name:\s*{TEXT},\s*values:\s*{LIST},?\s*\}}"
LABEL = re.compile(rf"^const (\w+): Label = Label {LABEL_FIELDS};", re.MULTILINE)
BOUNDS = re.compile(r"^const (\w+): &\[f64\] = &\[([0-9._,\s]+)\];", re.MULTILINE)
METRIC = re.compile(
    r"^pub static (\w+): (\w+) ="
    rf" (\w+)::new\(\s*{TEXT},\s*(?:(\w+),\s*)?(\w+),\s*{TEXT},?\s*\)\s*(?:\.by\(&\[(.*?)\]\))?;",
    re.MULTILINE | re.DOTALL,
)
ENTRY = re.compile(r"Entry::(\w+)\(&(\w+)\)")
ALL = re.compile(r"pub static ALL: \[Entry; (\d+)\] = \[(.*?)\];", re.DOTALL)


class UnknownForm(Exception):
    """The sources declare something in a form that this reader does not know."""


@dataclass
class Metric:
    name: str
    kind: str
    services: tuple
    meaning: str
    # Values by label; an empty list: open values.
    labels: dict = field(default_factory=dict)
    # Upper bounds of a histogram's buckets.
    bounds: list = field(default_factory=list)


def read(root):
    """All metrics by name."""
    folder = root / FOLDER
    found = {}
    for path in sorted((folder / "catalogue").glob("*.rs")):
        found.update(parse(path.read_text(encoding="utf-8"), path.name))
    listed = ALL.search((folder / "catalogue.rs").read_text(encoding="utf-8"))
    if listed is None:
        raise UnknownForm("catalogue.rs: no `pub static ALL: [Entry; n]`")
    names = [constant for _, constant in ENTRY.findall(listed[2])]
    if len(names) != int(listed[1]) or set(names) != set(found):
        raise UnknownForm(f"catalogue.rs lists {sorted(set(names) ^ set(found))} otherwise than the files declare")
    return {metric.name: metric for metric in found.values()}


def parse(text, file):
    """The metrics of a file, by the name of their constants."""
    labels = {name: (label, texts(values)) for name, label, values, _ in LABEL.findall(text)}
    bounds = {
        name: [float(number) for number in re.findall(r"[0-9][0-9._]*", numbers.replace("_", ""))]
        for name, numbers in BOUNDS.findall(text)
    }
    for word, known in (("Label", labels), ("&[f64]", bounds)):
        declared = len(re.findall(rf"^(?:pub )?(?:const|static) \w+: {re.escape(word)} ", text, re.MULTILINE))
        if declared != len(known):
            raise UnknownForm(f"{file}: {declared} constants of type {word}, {len(known)} of them readable")
    found = {}
    for constant, kind, made, name, buckets, services, meaning, by in METRIC.findall(text):
        if kind != made or kind not in KINDS or services not in SERVICES or (kind == "Histogram") != bool(buckets):
            raise UnknownForm(f"{file}: {constant} is declared in an unknown form")
        if buckets and buckets not in bounds:
            raise UnknownForm(f"{file}: {constant} has unknown bounds {buckets}")
        chosen = dict(by_labels(by, labels, f"{file}: {constant}"))
        found[constant] = Metric(name, KINDS[kind], SERVICES[services], meaning, chosen, bounds.get(buckets, []))
    declared = len(re.findall(r"^pub (?:static|const) ", text, re.MULTILINE))
    if declared != len(found):
        raise UnknownForm(f"{file}: {declared} public items, {len(found)} of them readable")
    return found


def by_labels(text, labels, place):
    """The labels between the brackets of `.by(&[…])`: names of constants, or labels written out."""
    rest = text.strip()
    while rest:
        inline = re.match(rf"Label {LABEL_FIELDS}\s*,?\s*", rest)
        named = re.match(r"(\w+)\s*(?:,\s*|$)", rest)
        if inline:
            yield inline[1], texts(inline[2])
            rest = rest[inline.end() :]
        elif named and named[1] in labels:
            yield labels[named[1]]
            rest = rest[named.end() :]
        else:
            raise UnknownForm(f"{place} has unknown labels {rest!r}")


def texts(values):
    return re.findall(TEXT, values)
