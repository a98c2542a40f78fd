"""The units and the Debian package: built with programs that do nothing, then read as systemd and dpkg read them."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .flags import SECRET, env_file, unknown
from .rules import AFTER_DRAIN, DRAIN

UNITS = {"webhook-api": "webhook-api", "webhook-dispatcher@": "webhook-dispatcher", "webhook-migration": "webhook-api"}
# `systemd-analyze security` rates from 0, the safest, to 10; the units have 1.4.
EXPOSURE = 1.5
# Targets that every machine has, and a folder without a system has not.
TARGETS = ("sysinit", "basic", "shutdown", "network-online", "multi-user")
# Paths of the package with their modes.
LAYOUT = {
    "./etc/webhooks/": "drwxr-x---",
    "./etc/webhooks/api.env": "-rw-r-----",
    "./etc/webhooks/dispatcher.env": "-rw-r-----",
    "./etc/webhooks/migration.env": "-rw-r-----",
    "./etc/webhooks/webhooks.env": "-rw-r-----",
    "./usr/bin/webhook-api": "-rwxr-xr-x",
    "./usr/bin/webhook-dispatcher": "-rwxr-xr-x",
    "./usr/lib/systemd/system/webhook-api.service": "-rw-r--r--",
    "./usr/lib/systemd/system/webhook-dispatcher@.service": "-rw-r--r--",
    "./usr/lib/systemd/system/webhook-migration.service": "-rw-r--r--",
    "./usr/lib/sysusers.d/webhooks.conf": "-rw-r--r--",
    "./usr/share/doc/webhooks/copyright": "-rw-r--r--",
}


def findings(root, known):
    texts = {unit: (root / f"deploy/systemd/{unit}.service").read_text() for unit in UNITS}
    settings = {path.name: path.read_text() for path in sorted((root / "deploy/systemd").glob("*.env"))}
    for unit, text in texts.items():
        yield from unit_findings(unit, text, settings, known)
    with tempfile.TemporaryDirectory() as folder:
        yield from package_findings(root, Path(folder))
    yield from exposure_findings(root)


def unit_findings(unit, text, settings, known):
    """Variables that the program reads, no secret, and a stop that is longer than the drain."""
    service = UNITS[unit]
    lines = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    used = env_file("\n".join(re.findall(r"^Environment=(.*)$", text, re.MULTILINE)))
    files = [Path(path).name for path in re.findall(r"^EnvironmentFile=-?(.*)$", text, re.MULTILINE)]
    for name in files:
        # A file of one worker is made by who needs the file.
        found = env_file(settings.get(name, "")) if "%i" not in name else {}
        used.update(found)
        written = {key for key, value in env_file(re.sub(r"^#.*$", "", settings.get(name, ""), flags=re.M)).items()}
        for secret in sorted(SECRET & written):
            yield f"deploy/systemd/{name}: {secret} has a value"
        if name not in settings and "%i" not in name:
            yield f"deploy/systemd/{unit}.service: {name} is not in deploy/systemd"
    for name in unknown(known, service, used):
        yield f"deploy/systemd/{unit}.service: {service} reads no variable {name}"
    if unit == "webhook-migration":
        return
    drain = int(used.get("DRAIN_MS") or 1000 * DRAIN) / 1000
    least = drain + AFTER_DRAIN[service]
    if int(lines.get("TimeoutStopSec", "0s").removesuffix("s")) < least:
        yield f"deploy/systemd/{unit}.service: TimeoutStopSec must be at least {least:.0f}s"
    if lines.get("Restart") != "on-failure" or lines.get("RestartPreventExitStatus") != "2":
        yield f"deploy/systemd/{unit}.service: restarts on failure, but not for a wrong setting (2)"


def package_findings(root, folder):
    """Builds the package with programs that do nothing; compares its paths, and lets systemd read its units."""
    programs = folder / "programs"
    programs.mkdir()
    for program in ("webhook-api", "webhook-dispatcher"):
        shutil.copy("/bin/true", programs / program)
    built = run(root / "deploy/debian/build.sh", programs, folder)
    if built.returncode:
        yield f"deploy/debian/build.sh: {built.stderr.strip()}"
        return
    package = built.stdout.strip()
    yield from layout_findings(run("dpkg-deb", "-c", package).stdout)
    conffiles = run("dpkg-deb", "-I", package, "conffiles").stdout.split()
    expected = [path[1:] for path in LAYOUT if path.startswith("./etc/") and not path.endswith("/")]
    if conffiles != expected:
        yield f"deploy/debian: conffiles are {conffiles}, not {expected}"
    tree = folder / "tree"
    run("dpkg-deb", "-x", package, tree)
    yield from verify_findings(tree)


def layout_findings(listing):
    found = {line.split()[-1]: line.split()[0] for line in listing.splitlines()}
    owners = {line.split()[1] for line in listing.splitlines()}
    for path, mode in LAYOUT.items():
        if found.get(path) != mode:
            yield f"deploy/debian: {path} is {found.get(path, 'missing')}, not {mode}"
    if owners != {"root/root"}:
        yield f"deploy/debian: files of {sorted(owners)}"


def verify_findings(tree):
    for target in TARGETS:
        (tree / f"usr/lib/systemd/system/{target}.target").write_text("[Unit]\nDescription=A target\n")
    units = ["webhook-api.service", "webhook-dispatcher@8081.service", "webhook-migration.service"]
    verified = run("systemd-analyze", "verify", "--man=no", f"--root={tree}", *units)
    if verified.returncode or verified.stderr.strip():
        yield f"systemd-analyze verify: {verified.stderr.strip()}"


def exposure_findings(root):
    for unit in UNITS:
        path = root / f"deploy/systemd/{unit}.service"
        rated = run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={int(10 * EXPOSURE)}", path)
        if rated.returncode:
            last = (rated.stdout.strip() or rated.stderr.strip()).splitlines()[-1]
            yield f"deploy/systemd/{unit}.service: more than {EXPOSURE}: {last}"


def run(*command):
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=environment)
