"""The compose file, read by docker compose itself: refused without secrets, open on loopback alone, fit to scale."""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

from .flags import SECRET, unknown
from .rules import AFTER_DRAIN, DRAIN

FILE = "docker-compose.yml"
# Values for one reading. A value that the result has elsewhere than in these variables is a secret in the file.
VALUES = {"POSTGRES_PASSWORD": "postgresvalue", "RABBITMQ_PASSWORD": "rabbitmqvalue",
          "WEBHOOK_SECRET_KEY": "sealingvalue", "GRAFANA_PASSWORD": "grafanavalue"}
# The image's program of each service of the file.
PROGRAMS = {"api": "webhook-api", "dispatcher": "webhook-dispatcher"}


def findings(root, compose, known):
    """`compose`: the program docker compose; None where there is none, and the file is read without."""
    if compose is None:
        found = substituted((root / FILE).read_text())
    else:
        for name in VALUES:
            yield from refusal_findings(root, compose, name)
        read = run(root, compose, VALUES)
        if read.returncode:
            yield f"{FILE}: docker compose refuses: {read.stderr.strip()}"
            return
        found = json.loads(read.stdout)
    yield from model_findings(found, known)
    yield from written_secrets((root / FILE).read_text())
    yield from monitoring_findings(root, found)


def run(root, compose, values):
    # A folder without .env: the person's own values change nothing here.
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "env"
        empty.touch()
        environment = {"PATH": os.environ["PATH"], "HOME": folder, **values}
        command = [compose, "--env-file", empty, "-f", FILE, "--profile", "*", "config", "--format", "json"]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def refusal_findings(root, compose, missing):
    """Without a secret compose must not start, and must say how to make one."""
    read = run(root, compose, {name: value for name, value in VALUES.items() if name != missing})
    if read.returncode == 0:
        yield f"{FILE}: starts without {missing}"
    elif "compose-env.sh" not in read.stderr:
        yield f"{FILE}: does not tell how to make {missing}: {read.stderr.strip()}"


def model_findings(found, known):
    for name, service in found["services"].items():
        for port in service.get("ports", []):
            if isinstance(port, dict) and port.get("host_ip") != "127.0.0.1" or isinstance(port, str) and not port.startswith("127.0.0.1:"):
                yield f"{FILE}: {name} has a port that other machines reach: {port}"
        image = service.get("image", "")
        if "build" not in service and image.rpartition(":")[2] in ("", "latest", image):
            yield f"{FILE}: {name}: image {image} names no version"
        if name in PROGRAMS:
            yield from service_findings(name, service, known)
    dispatcher = found["services"]["dispatcher"]
    if dispatcher.get("ports") or "container_name" in dispatcher:
        yield f"{FILE}: a port or a name of its own keeps dispatcher from scaling"


def service_findings(name, service, known):
    variables = service["environment"]
    for variable in unknown(known, PROGRAMS[name], variables):
        yield f"{FILE}: {PROGRAMS[name]} reads no variable {variable}"
    if variables.get("WEBHOOK_ALLOW_NETWORKS"):
        yield f"{FILE}: {name} allows private networks by default"
    drain = int(variables.get("DRAIN_MS") or 1000 * DRAIN) / 1000
    least = drain + AFTER_DRAIN[PROGRAMS[name]]
    if seconds(service.get("stop_grace_period", "10s")) < least:
        yield f"{FILE}: {name}: stop_grace_period must be at least {least:.0f}s"


def seconds(text):
    """Docker's durations, such as `1m30s`."""
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def written_secrets(text):
    """A secret's variable is set by substitution alone, without a default; no address has a written password."""
    for number, line in enumerate(text.splitlines(), 1):
        secret = re.search(rf"\b({'|'.join(SECRET)}|\w*PASS(?:WORD)?): *(\S.*)", line)
        if secret and not re.search(r"\$\{\w+:\?", secret[2]) or re.search(r"://\w+:[^$\s@/]+@", line):
            yield f"{FILE}:{number}: a secret that stands in the file"


def monitoring_findings(root, found):
    """Prometheus asks the ports on which the services listen, under the names of the compose file."""
    config = yaml.safe_load((root / "deploy/prometheus/prometheus.yml").read_text())
    asked = {
        name: lookup["port"]
        for job in config["scrape_configs"]
        for lookup in job.get("dns_sd_configs", [])
        for name in lookup["names"]
    }
    for name in PROGRAMS:
        listener = found["services"][name]["environment"]["OPERATIONS_LISTEN"]
        if str(asked.get(name)) != listener.rpartition(":")[2]:
            yield f"deploy/prometheus/prometheus.yml: {name} is asked on port {asked.get(name)}, and listens on {listener}"


def substituted(text):
    """The file without docker compose: the variables and merges of this file, no more."""
    text = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda name: VALUES[name[1]], text)
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))
