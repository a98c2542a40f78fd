#!/usr/bin/env python3
"""Makes the dashboards of Grafana: deploy/grafana/*.json.

    deploy/dev/dashboards.py           writes the files
    deploy/dev/dashboards.py --check   tells files that are not up to date

The content is in `monitoring/`: overview.py, dispatcher.py, api.py, of the parts in panels.py.
"""

import sys
from pathlib import Path

from monitoring import dashboards

ROOT = Path(__file__).resolve().parents[2]


def main(arguments):
    if arguments == ["--check"]:
        found = list(dashboards.stale(ROOT))
        for offender in found:
            print(f"FAIL  {offender}")
        return 1 if found else 0
    if arguments:
        print(__doc__.strip())
        return 2
    for path, text in dashboards.made().items():
        (ROOT / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
