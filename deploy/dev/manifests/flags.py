"""The variables that each service reads, out of the Rust sources: a flag is `env = "NAME"` in an attribute of clap."""

import re

VARIABLE = re.compile(r'\benv = "([A-Z][A-Z0-9_]*)"')
TESTS = re.compile(r"^#\[cfg\(test\)\]", re.MULTILINE)
COMMON = "crates/webhook-service/src/flags.rs"
SERVICES = {
    "webhook-api": "crates/webhook-api/src/config.rs",
    "webhook-dispatcher": "crates/webhook-dispatcher/src/config.rs",
}
# Variables of flags that are on their way into the sources. A name that has arrived is told, to be removed here.
EXPECTED = frozenset({"OPERATIONS_LISTEN"})
# Values of these variables are secrets: they stand in no file of the repository.
SECRET = frozenset({"DATABASE_URL", "AMQP_URL", "WEBHOOK_SECRET_KEY"})


def flags(root):
    """The names of the variables of each service."""
    common = names(root / COMMON)
    return {service: common | names(root / path) | EXPECTED for service, path in SERVICES.items()}


def arrived(root):
    """Names of EXPECTED that both services have: the list is to be shortened."""
    found = [names(root / path) | names(root / COMMON) for path in SERVICES.values()]
    return sorted(EXPECTED & set.intersection(*found))


def names(path):
    """The variables in a file, those of its tests left out."""
    return set(VARIABLE.findall(TESTS.split(path.read_text(), maxsplit=1)[0]))


def unknown(known, service, used):
    """Variables that the service does not read: misspelt, or gone."""
    return sorted(set(used) - known[service])


def env_file(text):
    """The variables of a file of `NAME=value` lines, also of those written as an example behind a `#`."""
    lines = re.findall(r"^(?:#\s?)?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE)
    return {name: value.strip() for name, value in lines}
