"""Renders every template of jinja_vectors.json with Jinja2 itself, set up as transformers does, and
writes the texts back.  To add a case, put its template into the file and run this:

    .venv/bin/python tests/trainer/chat/jinja_vectors.py
"""

import json
import pathlib

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

FILE = pathlib.Path(__file__).with_suffix(".json")


class Generation(Extension):
    """{% generation %} as transformers' tracker of assistant tokens has it."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_render"), [], [], body).set_lineno(line)

    def _render(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.TemplateError(message)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def environment():
    result = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    result.filters["tojson"] = to_json
    result.globals["raise_exception"] = raise_exception
    return result


def main():
    vectors = json.loads(FILE.read_text(encoding="utf-8"))
    for case in vectors["cases"]:
        template = environment().from_string(case["template"])
        case["text"] = template.render(**vectors["variables"])
    FILE.write_text(json.dumps(vectors, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
