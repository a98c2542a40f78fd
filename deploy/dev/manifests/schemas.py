"""Validation against schemas: those of Kubernetes from a package, those of operators from `schemas/`.

`schemas/` describes the fields that this repository uses, out of the operators' references: a field that is not
described is refused, and is added there when a manifest needs the field.
"""

import functools
import json
from pathlib import Path

# The oldest and the newest release of Kubernetes whose schemas the package has.
VERSIONS = ("1.32", "1.37")
FOLDER = Path(__file__).parent / "schemas"


def findings(rendered):
    """Objects that a cluster would refuse, with the place in the object."""
    for one in rendered.objects:
        if "." in one["apiVersion"].partition("/")[0] and not one["apiVersion"].partition("/")[0].endswith(".k8s.io"):
            yield from (rendered.tell(one, problem) for problem in operators_problems(one))
        else:
            yield from (rendered.tell(one, problem) for problem in kubernetes_problems(one))


def kubernetes_problems(one):
    import kubernetes_validate

    for version in VERSIONS:
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"Kubernetes {version} refuses {place(error)}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError:
            yield f"Kubernetes {version} does not know the kind {one['kind']} of {one['apiVersion']}"


def operators_problems(one):
    import jsonschema

    path = FOLDER / f"{one['kind'].lower()}.json"
    if not path.is_file():
        yield f"no schema of {one['apiVersion']} {one['kind']}: add schemas/{path.name}"
        return
    for error in jsonschema.Draft202012Validator(schema(path)).iter_errors(one):
        yield f"{place(error)}: {error.message}"


@functools.cache
def schema(path):
    return json.loads(path.read_text())


def place(error):
    return ".".join(str(part) for part in error.absolute_path) or "the object"
