#!/usr/bin/env python3
"""Holds the minimum version of Rust in Cargo.toml (`rust-version`).

Every crate in Cargo.lock may demand at most that version: `cargo update` can raise the demand without
notice, and a compiler that is old enough to fail is on nobody's desk. What our own code uses of the
standard library is held by clippy's lint `incompatible_msrv`.
"""

import json
import subprocess
import sys


def version(text):
    """1.89 and 1.89.0 are the same."""
    numbers = [int(number) for number in text.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def too_new(packages, minimum):
    """The packages that demand more than `minimum`, as sentences."""
    return sorted(
        f"{package['name']} {package['version']} demands Rust {package['rust_version']}"
        for package in packages
        if package.get("rust_version") and version(package["rust_version"]) > version(minimum)
    )


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", *sys.argv[1:]]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    members = set(metadata["workspace_members"])
    ours = {p["rust_version"] for p in metadata["packages"] if p["id"] in members}
    if len(ours) != 1 or None in ours:
        sys.exit(f"each member of the workspace must have `rust-version.workspace = true`: {ours}")
    (minimum,) = ours
    offenders = too_new(metadata["packages"], minimum)
    if offenders:
        sys.exit(f"rust-version in Cargo.toml is {minimum}:\n  " + "\n  ".join(offenders))
    print(f"Rust {minimum} is enough for all {len(metadata['packages'])} packages")


if __name__ == "__main__":
    main()
