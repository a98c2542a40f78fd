"""The folder of a drill: notes that one part writes and another part reads. Nothing of it is lost in the disaster."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

# Seconds that a state may take to come, before the drill fails. A busy machine takes some ten.
PATIENCE = 150


class Notes:
    """Files of JSON in the drill's folder."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def read(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())

    def write(self, name, value):
        (self.folder / f"{name}.json").write_text(json.dumps(value))

    def has(self, name):
        return (self.folder / name).exists()

    def number(self, name):
        """A time or a size, written by drill.sh."""
        return float((self.folder / name).read_text())

    def lines(self, name):
        """The complete lines of a file that grows, each a JSON value."""
        text = (self.folder / f"{name}.jsonl").read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def appending(self, name):
        """The file, to append lines to; each line is on disk when the call that writes the line returns."""
        return (self.folder / f"{name}.jsonl").open("a", buffering=1)

    def table(self, name):
        """Rows that `psql` copied, as tuples of text."""
        return [tuple(line.split("\t")) for line in (self.folder / name).read_text().splitlines()]


def wait_until(what, is_reached):
    """The first true result of a function. The drill fails if none comes within PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not (found := is_reached()):
        if time.monotonic() > deadline:
            raise SystemExit(f"drill: waited {PATIENCE} s in vain: {what}")
        time.sleep(0.1)
    return found


def ask(method, path, body=None, key=None, cookie=None):
    """The status of a response of the API, the JSON (of an error the text), and the cookie."""
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if cookie:
        headers["Cookie"] = cookie
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["API_URL"] + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            text, cookie = response.read(), response.headers.get("Set-Cookie", "").split(";")[0]
            is_json = "json" in response.headers.get("Content-Type", "")
            # A page without a session leads to the sign-in page, which would be a success.
            status = response.status if response.url == request.full_url else 303
            return status, json.loads(text) if is_json and text else None, cookie
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), ""


def must(method, path, body=None, key=None):
    """The JSON of a response that has to be a success."""
    status, found, _ = ask(method, path, body, key)
    if status >= 300:
        raise SystemExit(f"drill: {method} {path} was answered {status}: {found}")
    return found


def count(query):
    """The number that a query of the database finds."""
    command = ["psql", os.environ["DATABASE_URL"], "-qtAX", "-c", query]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
