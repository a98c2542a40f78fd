"""Rust source as tokens, and the functions of a file. Everything else reads code through this module."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<string>b?c?r(?P<hashes>\#*)".*?"(?P=hashes)|[bc]?"(?:\\.|[^"\\])*")
  | (?P<char>b?'(?:\\u\{\w+\}|\\x\w\w|\\.|[^\\'])')
  | (?P<lifetime>'\w+)
  | (?P<word>(?:r\#)?[A-Za-z_]\w*)
  | (?P<number>\d\w*(?:\.\d\w*)?)
  | (?P<sign>::|->|=>|\S)
    """,
    re.VERBOSE | re.DOTALL,
)


class Measure(NamedTuple):
    """The result of one rule. Offenders are lines like `path:line: what is wrong`."""

    name: str
    value: str
    bound: str
    holds: bool
    offenders: list


@dataclass
class Token:
    kind: str
    text: str
    line: int
    # Whether the token belongs to an item under `#[cfg(test)]`.
    test: bool = False


@dataclass
class Function:
    name: str
    line: int
    end: int
    body: list
    test: bool

    @property
    def length(self):
        return self.end - self.line + 1


@dataclass
class Source:
    """One file. `path` is relative to the repository; `test` means that the whole file is for tests only."""

    path: Path
    text: str
    test: bool = False
    tokens: list = field(default_factory=list)

    def __post_init__(self):
        self.tokens = tokenise(self.text)
        mark_tests(self.code)
        inside = False
        for token in self.tokens:
            # A comment belongs to the item of the code before it.
            token.test = inside = inside if token.kind == "comment" else token.test
        for token in self.tokens:
            token.test = token.test or self.test

    @property
    def code(self):
        return [token for token in self.tokens if token.kind != "comment"]


def sources(root, crate=None):
    """Every Rust file of `crate`, or of all crates, examples and test programs."""
    folders = [crate] if crate else [root / name for name in ("crates", "examples", "fuzz", "tests")]
    paths = sorted(path for folder in folders for path in folder.rglob("*.rs"))
    return [
        Source(path.relative_to(root), path.read_text(encoding="utf-8"), is_test(path.relative_to(root)))
        for path in paths
        if "target" not in path.parts
    ]


def is_test(path):
    return path.parts[0] == "tests" or path.stem == "tests" or "tests" in path.parts


def tokenise(text):
    tokens, line, end = [], 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", end, match.start())
        end = match.start()
        tokens.append(Token(match.lastgroup if match.lastgroup != "hashes" else "string", match.group(), line))
    return tokens


def mark_tests(code):
    """Marks the items that stand under `#[cfg(test)]`."""
    attribute = ["#", "[", "cfg", "(", "test", ")", "]"]
    at = 0
    while at < len(code):
        if [token.text for token in code[at : at + 7]] != attribute:
            at += 1
            continue
        end = end_of_item(code, at)
        for token in code[at:end]:
            token.test = True
        at = end


def end_of_item(code, at):
    """The index after the item that begins at `at`: after its `;`, or its closing brace."""
    depth = 0
    while at < len(code):
        text = code[at].text
        if code[at].kind == "sign":
            depth += (text in "([{") - (text in ")]}")
            if depth == 0 and text in ";}":
                return at + 1
        at += 1
    return at


def closing(code, at):
    """The index of the bracket that closes the one at `at`."""
    depth = 0
    for index in range(at, len(code)):
        if code[index].kind == "sign":
            depth += (code[index].text in "([{") - (code[index].text in ")]}")
            if depth == 0:
                return index
    return len(code) - 1


def functions(source):
    """The functions that have a body, nested ones too. Lines count from `fn` to the closing brace."""
    code = source.code
    for at, token in enumerate(code[:-1]):
        if token.text != "fn" or code[at + 1].kind != "word":
            continue
        start = body_start(code, at)
        if start is not None:
            end = closing(code, start)
            yield Function(code[at + 1].text, token.line, code[end].line, code[start + 1 : end], token.test)


def body_start(code, at):
    """The index of the brace that opens the body; `None` for a declaration in a trait."""
    depth = 0
    for index in range(at, len(code)):
        text = code[index].text
        if code[index].kind != "sign":
            continue
        if depth == 0 and text in "{;":
            return index if text == "{" else None
        depth += (text in "([") - (text in ")]")
    return None
