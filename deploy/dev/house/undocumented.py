"""Every public item has a doc. rustc's lint `missing_docs` finds the items, and clippy in `./dev test` makes an
error of each; this rule holds that the lint is on in every crate, and that an exception tells its reason."""

import tomllib

from .source import Measure, closing, sources


def missing_docs(root, crate=None):
    """The places where the lint `missing_docs` is off without a reason."""
    workspace = tomllib.loads((root / "Cargo.toml").read_text(encoding="utf-8"))
    offenders = []
    if workspace.get("workspace", {}).get("lints", {}).get("rust", {}).get("missing_docs") not in ("warn", "deny"):
        offenders.append("Cargo.toml:1: missing_docs is not on in [workspace.lints.rust]")
    manifests = [crate / "Cargo.toml"] if crate else sorted(root.glob("crates/*/Cargo.toml"))
    for manifest in manifests:
        read = tomllib.loads(manifest.read_text(encoding="utf-8"))
        if read.get("lints", {}).get("workspace") is not True:
            offenders.append(f"{manifest.relative_to(root)}:1: [lints] workspace = true is missing")
        offenders += allowed(root, manifest.parent)
    return Measure(
        "crates and items that need no docs", str(len(offenders)), "0", not offenders, offenders
    )


def allowed(root, crate):
    """The attributes that switch the lint off and give no reason."""
    found = []
    for file in sources(root, crate):
        code = file.code
        for at, token in enumerate(code):
            if token.text == "allow" and code[at + 1].text == "(":
                words = [inner.text for inner in code[at : closing(code, at + 1)]]
                if "missing_docs" in words and "reason" not in words:
                    found.append(f"{file.path}:{token.line}: missing_docs is switched off without a reason")
    return found
