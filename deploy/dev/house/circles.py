"""Inside a crate no file needs, directly or through others, a file that needs it.

An arrow leads from a file to each file whose items it names, by `use` or by a path in the code. An item that is
imported through another module's `use` counts as an import of the file that defines it, so that a `lib.rs` which
only hands items on is in no circle. `mod name;` is no arrow, and neither is a `pub use` whose name the file
itself does not use. Tests under `#[cfg(test)]` do not count.
"""

import sys

from .modules import Crate
from .source import Measure

# Imports that are told of one circle; a large circle has hundreds.
TIES_SHOWN = 12


def circles(root, crate=None):
    """The circles of all crates, each with the imports that tie it."""
    offenders, count = [], 0
    for folder in [crate] if crate else crate_folders(root):
        arrows = Crate(folder).arrows()
        for circle in strong_components(arrows):
            count += 1
            offenders.append(f"{len(circle)} files in {folder.relative_to(root)}:")
            ties = [
                f"  {start.relative_to(root)}:{line} -> {end.relative_to(root)}: {name}"
                for start in circle
                for end, (line, name) in sorted(arrows[start].items())
                if end in circle
            ]
            offenders += ties[:TIES_SHOWN]
            offenders += [f"  and {len(ties) - TIES_SHOWN} more"] if len(ties) > TIES_SHOWN else []
    return Measure("circles of imports between files", str(count), "0", count == 0, offenders)


def crate_folders(root):
    manifests = [*root.glob("crates/*/Cargo.toml"), *root.glob("examples/**/Cargo.toml"), *root.glob("fuzz/Cargo.toml")]
    return sorted(manifest.parent for manifest in manifests)


def strong_components(arrows):
    """The sets of two or more files that reach each other (Tarjan), each sorted."""
    sys.setrecursionlimit(10_000)
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for target in arrows.get(node, ()):
            if target not in number:
                visit(target)
            if target in stack:
                low[node] = min(low[node], low[target])
        if low[node] == number[node]:
            at = stack.index(node)
            component = stack[at:]
            del stack[at:]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(arrows):
        if node not in number:
            visit(node)
    return sorted(found)
