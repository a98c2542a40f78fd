"""Files and functions stay short: a file has one reason to change, a function fits a screen."""

from .source import Measure, functions

FILE_LINES = 400
NINTH_DECILE_LINES = 25
FUNCTION_LINES = 60


def largest_file(files):
    """Lines of the largest file, tests included."""
    lengths = sorted(((len(file.text.splitlines()), file.path) for file in files), reverse=True)
    largest = lengths[0] if lengths else (0, "none")
    return Measure(
        "largest file",
        f"{largest[0]} lines ({largest[1]})",
        f"{FILE_LINES} lines",
        largest[0] <= FILE_LINES,
        [f"{path}:1: {lines} lines" for lines, path in lengths if lines > FILE_LINES],
    )


def ninth_decile(files):
    """Nine of ten functions of the product (not of tests) are this short or shorter."""
    found = sorted(product_functions(files), key=lambda pair: -pair[1].length)
    value = found[len(found) // 10][1].length if found else 0
    return Measure(
        "functions, 90th percentile",
        f"{value} lines of {len(found)} functions",
        f"{NINTH_DECILE_LINES} lines",
        value <= NINTH_DECILE_LINES,
        [place(path, function) for path, function in found if function.length > NINTH_DECILE_LINES],
    )


def longest_function(files):
    """No function, of tests neither, is longer, unless all it does is to name fields."""
    found = [
        (file.path, function)
        for file in files
        for function in functions(file)
        if not names_fields_only(function.body)
    ]
    found.sort(key=lambda pair: -pair[1].length)
    longest = found[0][1] if found else None
    return Measure(
        "longest function",
        f"{longest.length} lines ({longest.name})" if longest else "none",
        f"{FUNCTION_LINES} lines",
        longest is None or longest.length <= FUNCTION_LINES,
        [place(path, function) for path, function in found if function.length > FUNCTION_LINES],
    )


def product_functions(files):
    return [(file.path, function) for file in files for function in functions(file) if not function.test]


def place(path, function):
    return f"{path}:{function.line}: {function.name}, {function.length} lines"


def names_fields_only(body):
    """Whether a body is one struct literal (`Name { field: value, … }`, perhaps inside `Ok(…)`) and no
    statement: a list of fields reads at any length."""
    body = list(body)
    while len(body) > 3 and body[0].text in ("Ok", "Some") and body[1].text == "(" and body[-1].text == ")":
        body = body[2:-1]
        if body and body[-1].text == ",":
            body.pop()
    at = 0
    while at < len(body) and (body[at].kind == "word" or body[at].text == "::"):
        at += 1
    literal = 0 < at < len(body) and body[at].text == "{" and body[-1].text == "}"
    # `if x { … }`, `match x { … }` and the like begin with a word, too.
    keyword = body[0].text in ("if", "match", "loop", "while", "for", "unsafe", "async") if body else False
    return literal and not keyword and all(token.text != ";" for token in body)
