"""promtool, of Debian's package `prometheus`: reads rules, runs their tests, parses queries without a server."""

import json
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .promql import plain


def check_rules(paths):
    """Parses the rules and the templates of their texts."""
    return complaints(["promtool", "check", "rules", *map(str, paths)])


def check_queries(queries):
    """Parses queries, each as the rule of a file. `queries`: pairs of place and query."""
    # JSON is YAML: no query needs quoting.
    rules = [{"record": f"query:{number}", "expr": plain(query)} for number, (_, query) in enumerate(queries)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "queries.yml"
        file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}, indent=1), encoding="utf-8")
        found = complaints(["promtool", "check", "rules", "--lint=none", str(file)])
    if not found or len(queries) == 1:
        return [f"{place}: {text}" for place, _ in queries[:1] for text in found]
    # The file as a whole is refused: query by query tells the place.
    return [text for query in queries for text in check_queries([query])]


def run_tests(paths):
    """Runs files of tests, two at a time: a file takes seconds."""
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda path: complaints(["promtool", "test", "rules", str(path)]), paths)
    return [text for result in results for text in result]


def complaints(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [(done.stdout + done.stderr).strip()]
