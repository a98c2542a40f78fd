#!/usr/bin/env python3
"""Measures how the code reads, prints each measure with its bound, and fails when a bound is broken.

    deploy/dev/house.py                       the whole repository
    deploy/dev/house.py crates/webhook-store  one crate
    deploy/dev/house.py --report              the measures alone: no offenders, exit code 0
    deploy/dev/house.py --test                the unit tests of this script

One line a measure, then the offenders as `file:line`. The exit code is 1 when a bound is broken.
The rules are told in CONTRIBUTING.md; each is one module in the folder `house/` beside this file.
"""

import signal
import sys
import unittest
from pathlib import Path

from house import circles, documents, sizes, sql, undocumented, words
from house.source import sources

ROOT = Path(__file__).resolve().parents[2]
# Offenders printed for one measure; the rest is counted.
OFFENDERS_SHOWN = 40


def measure(root, crate=None):
    """All measures of the repository at `root`, or of the one crate in the folder `crate`."""
    files = sources(root, crate)
    yield circles.circles(root, crate)
    yield sizes.largest_file(files)
    yield sizes.ninth_decile(files)
    yield sizes.longest_function(files)
    yield words.pronouns(files)
    yield words.pronouns_in_texts(files)
    yield words.nameless_subjects(files)
    yield words.inline_comments(files)
    yield undocumented.missing_docs(root, crate)
    yield sql.long_strings(files)
    if crate is None:
        yield words.pronouns_in_documents(root)
        yield documents.missing_names(root)
        yield documents.event_walkthrough(root)


def report(measures, with_offenders):
    """Prints the measures and tells whether every bound holds."""
    held = True
    for found in measures:
        print(f"{'ok  ' if found.holds else 'FAIL'}  {found.name}: {found.value} (bound: {found.bound})")
        held = held and found.holds
        if with_offenders and not found.holds:
            for offender in found.offenders[:OFFENDERS_SHOWN]:
                print(f"        {offender}")
            if len(found.offenders) > OFFENDERS_SHOWN:
                print(f"        and {len(found.offenders) - OFFENDERS_SHOWN} more")
    return held


def main(arguments):
    # Ends quietly when the reader does, as in `house.py | head`.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if arguments == ["--test"]:
        unittest.main(module="house.tests", argv=["house.py"])
    if arguments == ["--report"]:
        report(measure(ROOT), with_offenders=False)
        return 0
    if len(arguments) > 1 or arguments[:1] == ["--help"]:
        print(__doc__.strip())
        return 2
    crate = Path(arguments[0]).resolve() if arguments else None
    if crate is not None and not (crate / "Cargo.toml").is_file():
        print(f"no crate at {crate}: a folder with a Cargo.toml is expected", file=sys.stderr)
        return 2
    return 0 if report(measure(ROOT, crate), with_offenders=True) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
