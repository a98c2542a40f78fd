"""Documents name files and tests that exist, and one event can be followed through a bounded number of files."""

import re

from .source import Measure

EVENT_FILES = 25
EVENT_SECTION = "## Walkthrough: an event"
EXTENSIONS = "rs|sql|md|toml|sh|py|json|js|html|conf|yml|yaml"
# A path between backticks. Placeholders like `<name>.rs` are none.
PATH = re.compile(rf"`(?:\./)?([\w.-]+(?:/[\w.*-]+)*\.(?:{EXTENSIONS})|[\w.-]+(?:/[\w.-]+)*/)`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
# Tests are sentences: four words or more. What ends in a unit is a metric of others; ours are in the catalogue.
TEST = re.compile(r"`([a-z0-9]+(?:_[a-z0-9]+){3,}_?)(…?)`")
METRIC = re.compile(r"^(?!webhook_).*_(total|seconds|bytes|ms)$")
CATALOGUE = "crates/webhook-metrics/src/catalogue"
# What Prometheus adds to the name of a histogram.
OF_HISTOGRAMS = ("", "_bucket", "_sum", "_count")
# Made from the comments of the database.
GENERATED = "docs/schema.md"
# These documents are checked, and the README of each crate.
STRICT = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md", "CHANGELOG.md")


def missing_names(root):
    """Paths, links and tests that a document names and nobody finds."""
    tests = test_names(root) | metric_names(root)
    offenders = []
    for document in documents(root):
        for number, line in prose(document):
            missing = [path for path in PATH.findall(line) if not exists(root, document, path)]
            missing += [path for path in LINK.findall(line) if not (document.parent / path).exists()]
            missing += [
                name
                for name, cut in TEST.findall(line)
                if not METRIC.search(name) and not known(name, cut, tests)
            ]
            offenders += [f"{document.relative_to(root)}:{number}: {name} is not there" for name in missing]
    return Measure("missing files and tests that documents name", str(len(offenders)), "0", not offenders, offenders)


def event_walkthrough(root):
    """The walkthrough of an event names each file on the way once, in the order in which a reader opens them."""
    document = root / "ARCHITECTURE.md"
    seen, offenders, inside = [], [], False
    for number, line in prose(document) if document.is_file() else ():
        if line.startswith("## "):
            inside = line.strip() == EVENT_SECTION
        for path in PATH.findall(line) if inside else ():
            if path.endswith((".rs", ".sql")):
                if path in seen:
                    offenders.append(f"ARCHITECTURE.md:{number}: {path} is named twice")
                seen.append(path)
    if len(seen) > EVENT_FILES:
        offenders.append(f"ARCHITECTURE.md:1: {len(seen)} files")
    if not seen:
        offenders.append(f"ARCHITECTURE.md:1: no file is named under {EVENT_SECTION!r}")
    return Measure(
        "files in the walkthrough of an event", str(len(seen)), f"{EVENT_FILES}, none twice", not offenders, offenders
    )


def documents(root):
    found = [root / name for name in STRICT]
    found += [*root.glob("docs/*.md"), *root.glob("docs/decisions/*.md"), *root.glob("docs/recipes/*.md")]
    found += [*root.glob("crates/*/README.md")]
    return sorted(path for path in found if path.is_file() and path != root / GENERATED)


def prose(document):
    """The numbered lines of a document without its blocks of code."""
    code = False
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            code = not code
        elif not code:
            yield number, line


def exists(root, document, path):
    """Paths count from the repository, from `crates/`, or from the document's folder and its `src/`. What a build
    writes below `target/` is never missing."""
    if path.startswith("target/"):
        return True
    folders = (root, root / "crates", document.parent, document.parent / "src")
    if "*" in path:
        return any(any(folder.glob(path)) for folder in folders)
    return any((folder / path).exists() for folder in folders)


def test_names(root):
    names = set()
    for folder in ("crates", "tests", "fuzz", "examples"):
        for path in (root / folder).rglob("*.rs"):
            if "target" not in path.parts:
                names.update(re.findall(r"\bfn (\w+)", path.read_text(encoding="utf-8")))
    return names


def metric_names(root):
    names = set()
    for path in (root / CATALOGUE).glob("*.rs"):
        found = re.findall(r'"(webhook_\w+)"', path.read_text(encoding="utf-8"))
        names.update(name + suffix for name in found for suffix in OF_HISTOGRAMS)
    return names


def known(name, cut, tests):
    return any(test.startswith(name) for test in tests) if cut or name.endswith("_") else name in tests
