"""The modules of a crate, and which file a path like `crate::lanes::Lane` leads to."""

from dataclasses import dataclass, field
from pathlib import Path

from .source import Source, closing

DEFINERS = {"struct", "enum", "union", "trait", "type", "fn", "const", "static"}


@dataclass
class Module:
    file: Path
    parent: "Module | None"
    children: dict = field(default_factory=dict)
    # Names that the module itself defines.
    items: set = field(default_factory=set)
    # Name → paths of the `use` items that bring it in. `*` stands for glob imports.
    bindings: dict = field(default_factory=dict)


@dataclass
class Reference:
    """A path that a module names. `reexport` is the name that a `pub use` hands on."""

    module: Module
    path: list
    line: int
    reexport: str | None = None


class Crate:
    """A package: its library, programs, tests and examples, each a tree of modules."""

    def __init__(self, folder):
        self.references = []
        self.words = {}
        self.macros = {}
        self.calls = []
        self.library = None
        self.name = folder.name.replace("-", "_")
        roots = [folder / "src/lib.rs", folder / "src/main.rs"]
        for pattern in ("src/bin/*.rs", "tests/*.rs", "tests/*/main.rs", "benches/*.rs", "examples/*.rs"):
            roots += sorted(folder.glob(pattern))
        for root in roots:
            if root.is_file():
                module = self.read(root, None, root.parent)
                if root.name == "lib.rs":
                    self.library = module

    def read(self, file, parent, folder):
        """Reads a file and the files of its `mod name;` lines, which stand in `folder`."""
        module = Module(file, parent)
        code = [token for token in Source(file, file.read_text(encoding="utf-8")).code if not token.test]
        self.words[file] = set()
        self.scan(code, module, folder)
        return module

    def scan(self, code, module, folder):
        at, depth = 0, 0
        while at < len(code):
            token, text = code[at], code[at].text
            following = code[at + 1] if at + 1 < len(code) else token
            if text == "mod" and following.kind == "word" and at + 2 < len(code):
                at = self.scan_module(code, at, module, folder)
                continue
            if text == "use" and following.text != "<":
                at = self.scan_use(code, at, module)
                continue
            if token.kind == "sign":
                depth += (text == "{") - (text == "}")
            elif token.kind == "word":
                self.words[module.file].add(text)
                if text in DEFINERS and depth == 0 and following.kind == "word":
                    module.items.add(following.text)
                elif text == "macro_rules":
                    module.items.add(code[at + 2].text)
                    self.macros.setdefault(code[at + 2].text, set()).add(module.file)
                elif following.text == "!":
                    self.calls.append((module.file, text, token.line))
                if following.text == "::" and code[at - 1].text != "::" and not visibility(code, at):
                    self.references.append(Reference(module, path_at(code, at), token.line))
            at += 1

    def scan_module(self, code, at, module, folder):
        name = code[at + 1].text
        if code[at + 2].text == "{":
            end = closing(code, at + 2)
            child = module.children[name] = Module(module.file, module)
            self.scan(code[at + 3 : end], child, folder / name)
            return end + 1
        for file in (folder / f"{name}.rs", folder / name / "mod.rs"):
            if file.is_file():
                module.children[name] = self.read(file, module, folder / name)
        return at + 3

    def scan_use(self, code, at, module):
        public = at > 0 and (code[at - 1].text == "pub" or code[at - 1].text == ")")
        leaves, end = use_tree(code, at + 1, [])
        for path, name, line in leaves:
            if name == "*":
                module.bindings.setdefault("*", []).append(path)
            elif path != [name]:
                module.bindings.setdefault(name, []).append(path)
            self.references.append(Reference(module, path, line, name if public else None))
        return end

    def arrows(self):
        """File → {file that it needs: (line, name)}."""
        arrows = {file: {} for file in self.words}
        for reference in self.references:
            file = reference.module.file
            if reference.reexport is not None and reference.reexport not in self.words[file]:
                continue
            for target in self.targets(reference.module, reference.path, frozenset()):
                end = target.file if isinstance(target, Module) else target
                if end != file:
                    arrows[file].setdefault(end, (reference.line, reference.path[-1]))
        for file, name, line in self.calls:
            files = self.macros.get(name, set())
            # A macro's name may exist in several files: who has its own uses that.
            for end in files if file not in files else ():
                arrows[file].setdefault(end, (line, f"{name}!"))
        return arrows

    def targets(self, module, path, seen):
        """The modules and files (for items) that a path leads to; none for another crate's."""
        here = [module]
        for at, name in enumerate(path):
            found = [target for start in here for target in self.named(start, name, seen, at == 0)]
            if not found and at > 0:
                # A macro made the item, or the path names a variant or a function of a type.
                return [start.file for start in here]
            here = [target for target in found if isinstance(target, Module)]
            if at == len(path) - 1 or not here:
                return found
        return here

    def named(self, module, name, seen, first):
        if name in ("crate", "self", "super"):
            return [step(module, name)]
        if first and name == self.name and self.library is not None:
            return [self.library]
        if (id(module), name) in seen:
            return []
        seen = seen | {(id(module), name)}
        found = [module.children[name]] if name in module.children else []
        if name in module.items:
            found.append(module.file)
        for path in module.bindings.get(name, []):
            found += self.targets(module, path, seen)
        if not found:
            for path in module.bindings.get("*", []):
                for target in self.targets(module, path, seen):
                    if isinstance(target, Module):
                        found += self.named(target, name, seen, False)
        return found


def step(module, name):
    if name == "super":
        return module.parent or module
    while name == "crate" and module.parent is not None:
        module = module.parent
    return module


def visibility(code, at):
    """Whether the path at `at` stands in `pub(in …)`."""
    return at > 1 and code[at - 1].text == "in" and code[at - 2].text == "("


def path_at(code, at):
    path = [code[at].text]
    while at + 2 < len(code) and code[at + 1].text == "::" and code[at + 2].kind == "word":
        at += 2
        path.append(code[at].text)
    return path


def use_tree(code, at, prefix):
    """The imports of the tree at `at` as (path, name, line), and the index after the tree."""
    path, name, line = list(prefix), None, code[at].line if at < len(code) else 0
    while at < len(code):
        token = code[at]
        if token.text == "{":
            leaves, at = [], at + 1
            while at < len(code) and code[at].text != "}":
                found, at = use_tree(code, at, path)
                leaves += found
                at += code[at].text == ","
            return leaves, at + 1
        if token.text == "as":
            name, at = code[at + 1].text, at + 2
        elif token.text == "*":
            return [(path, "*", line)], at + 1
        elif token.kind == "word":
            # `{self}` imports the module before the braces.
            if token.text != "self" or not path:
                path.append(token.text)
            at += 1
        elif token.text == "::":
            at += 1
        else:
            break
    return ([(path, name or path[-1], line)] if path else []), at
