"""YAML as text, in a form that people read and that stays the same from one run to the next."""

import yaml

# The head of every made file.
MADE = "# Made by `./dev manifests`: change the sources, not this file. CONTRIBUTING.md tells which.\n"


class Dumper(yaml.SafeDumper):
    """Lists are indented under their key, texts of several lines are blocks, and nothing refers to something else."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data):
        return True


def block(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, block)


def dump(value):
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000)


def indent(text, columns):
    return "".join(" " * columns + line if line.strip() else line for line in text.splitlines(keepends=True))
