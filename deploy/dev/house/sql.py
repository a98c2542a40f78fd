"""A statement of more than three lines is a `.sql` file beside its Rust, where psql and editors can read it."""

import re

from .source import Measure

STRING_LINES = 3
# Whole statements, and the pieces that a macro or `concat!` makes a statement of.
SQL = re.compile(
    r"""\b(SELECT\s|INSERT\s+INTO\b|UPDATE\s+\w+|DELETE\s+FROM\b|WITH\s+(RECURSIVE\s+)?\w+(\s*\([^)]*\))?\s+AS\b
    |(CREATE|ALTER|DROP)\s+(TABLE|INDEX|UNIQUE|TYPE|FUNCTION|TRIGGER|EXTENSION|MATERIALIZED|VIEW)\b
    |FROM\s+\w+|WHERE\s+\w+|(LEFT|CROSS|INNER)?\s*JOIN\s|ON\s+CONFLICT\b|RETURNING\s+\w+|VALUES\s*\(
    |ORDER\s+BY\b|GROUP\s+BY\b)""",
    re.VERBOSE,
)


def long_strings(files):
    """String literals with SQL that are longer than three lines of source."""
    offenders = [
        f"{file.path}:{start}: {lines} lines of SQL"
        for file in files
        for start, lines, text in strings(file.code)
        if lines > STRING_LINES and SQL.search(text)
    ]
    return Measure(
        "SQL strings longer than three lines", str(len(offenders)), "0", not offenders, offenders
    )


def strings(code):
    """Each string as (line, lines, text). Pieces with only a comma between them are one string."""
    found = []
    for at, token in enumerate(code):
        if token.kind != "string":
            continue
        lines = token.text.count("\n") + 1
        joined = at > 1 and code[at - 1].text == "," and code[at - 2].kind == "string"
        if joined and token.line > code[at - 2].line:
            start, before, text = found.pop()
            found.append((start, before + lines, f"{text} {token.text}"))
        else:
            found.append((token.line, lines, token.text))
    return found
