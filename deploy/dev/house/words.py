"""Comments say the noun, and stand at the line that they explain.

A pronoun or an indefinite makes the reader look for its noun elsewhere; the code has no elsewhere to offer.
Text between backticks counts as one noun.
"""

import re

from .documents import documents, prose
from .source import Measure
from .sql import SQL

PRONOUN_SHARE = 5.0
# The share in string literals: logs, errors, advice, descriptions and sentences of pages.
TEXT_SHARE = 3.5
# Texts of fewer words are names and parts of sentences.
TEXT_WORDS = 3
# Texts of the pages, which stay until the pages are reworded.
NAMELESS_SUBJECTS = 3
INLINE_COMMENTS = 1.5
PRONOUNS = frozenset(
    """it its itself this that these those they them their one ones such so
    what whatever which whichever who whom whoever
    something nothing anything somebody nobody anybody everybody""".split()
)

# A text that begins with one of these has no subject that a reader of a log could know.
NAMELESS = frozenset("it its they their them what whatever who whoever somebody such so".split())


def pronouns(files):
    """The share of pronouns and indefinites among the words of the crates' comments."""
    total = hits = 0
    offenders = []
    for file in crate_files(files):
        spoken = words_of(file)
        weak = [line for line, word in spoken if word in PRONOUNS]
        total, hits = total + len(spoken), hits + len(weak)
        if len(weak) > PRONOUN_SHARE / 100 * len(spoken):
            offenders.append((len(weak), f"{file.path}:{weak[0]}: {len(weak)} of {len(spoken)} words"))
    share = 100 * hits / max(1, total)
    return Measure(
        "pronouns and indefinites in comments",
        f"{share:.2f} % of {total} words",
        f"{PRONOUN_SHARE} %",
        share <= PRONOUN_SHARE,
        [text for _, text in sorted(offenders, key=lambda pair: -pair[0])],
    )


def pronouns_in_documents(root):
    """The same share in the prose of the repository's documents, code left out."""
    total = hits = 0
    offenders = []
    for document in documents(root):
        spoken = [(number, word) for number, line in prose(document) for word in nouns_and_words(line)]
        weak = [number for number, word in spoken if word in PRONOUNS]
        total, hits = total + len(spoken), hits + len(weak)
        if len(weak) > PRONOUN_SHARE / 100 * len(spoken):
            offenders.append((len(weak), f"{document.relative_to(root)}:{weak[0]}: {len(weak)} of {len(spoken)} words"))
    share = 100 * hits / max(1, total)
    return Measure(
        "pronouns and indefinites in documents",
        f"{share:.2f} % of {total} words",
        f"{PRONOUN_SHARE} %",
        share <= PRONOUN_SHARE,
        [text for _, text in sorted(offenders, key=lambda pair: -pair[0])],
    )


def pronouns_in_texts(files):
    """The same share in the texts that the product logs, answers and shows: its string literals without SQL."""
    total = hits = 0
    offenders = []
    for file in crate_files(files):
        for line, spoken in texts(file):
            weak = [word for word in spoken if word in PRONOUNS]
            total, hits = total + len(spoken), hits + len(weak)
            if weak:
                offenders.append((len(weak), f"{file.path}:{line}: {', '.join(weak)}"))
    share = 100 * hits / max(1, total)
    return Measure(
        "pronouns and indefinites in texts",
        f"{share:.2f} % of {total} words",
        f"{TEXT_SHARE} %",
        share <= TEXT_SHARE,
        [text for _, text in sorted(offenders, key=lambda pair: -pair[0])],
    )


def nameless_subjects(files):
    """Texts that begin with a pronoun: "it is not there" tells nobody what is missing."""
    offenders = [
        f"{file.path}:{line}: begins with `{spoken[0]}`"
        for file in crate_files(files)
        for line, spoken in texts(file)
        if spoken[0] in NAMELESS
    ]
    return Measure(
        "texts that begin with a pronoun",
        str(len(offenders)),
        str(NAMELESS_SUBJECTS),
        len(offenders) <= NAMELESS_SUBJECTS,
        offenders,
    )


def texts(file):
    """The words of each string literal that is a text, with its line. Tests have texts of their own."""
    for token in file.code:
        if token.kind != "string" or token.test or SQL.search(token.text):
            continue
        spoken = nouns_and_words(plain(token.text))
        if len(spoken) >= TEXT_WORDS:
            yield token.line, spoken


def plain(literal):
    """A literal without its continuation lines and escapes; `{placeholders}` count as one noun."""
    joined = re.sub(r"\\\n\s*", "", literal.lstrip("bcr#"))
    return re.sub(r"\{[^{}]*\}", " noun ", re.sub(r"\\[nrt\"\\]", " ", joined))


def inline_comments(files):
    """`//` comments of the product's code per 100 lines of code."""
    comments = code = 0
    offenders = []
    for file in crate_files(files):
        explained = {token.line for token in file.tokens if is_inline(token) and not token.test}
        lines = {token.line for token in file.code if not token.test}
        comments, code = comments + len(explained), code + len(lines)
        if 100 * len(explained) < INLINE_COMMENTS * len(lines):
            offenders.append((len(lines), f"{file.path}:1: {len(explained)} in {len(lines)} lines of code"))
    rate = 100 * comments / max(1, code)
    return Measure(
        "// comments per 100 lines of code",
        f"{rate:.2f} ({comments} in {code} lines)",
        f"{INLINE_COMMENTS} or more",
        rate >= INLINE_COMMENTS or code == 0,
        [text for _, text in sorted(offenders, key=lambda pair: -pair[0])],
    )


def crate_files(files):
    return [file for file in files if file.path.parts[0] == "crates" and "src" in file.path.parts]


def words_of(file):
    """Each word of the file's comments, with its line."""
    spoken = []
    for token in file.tokens:
        if token.kind == "comment":
            spoken += [(token.line, word) for word in nouns_and_words(token.text)]
    return spoken


def nouns_and_words(text):
    return re.findall("[a-z]+", re.sub(r"`[^`]*`", " noun ", text).lower())


def is_inline(token):
    """A comment for who reads the code: no doc of an item (`///`) or of a module (`//!`)."""
    return token.kind == "comment" and not re.match(r"///|//!|/\*[*!]", token.text)
