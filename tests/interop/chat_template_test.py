"""Chat templates against Jinja2, set up by transformers itself: published ones, and ones that people edit.

Every template of ../shared/data/chat_templates is rendered over many conversations; small ones below hold
what fine-tunes put into theirs.  Where Jinja2 renders, ours is the same text or an error that names what
it does not have; where Jinja2 refuses, ours does.
"""

import datetime
import json
import os
import pathlib
import subprocess
import sys
import unittest

try:
    from transformers.utils.chat_template_utils import _compile_jinja_template
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", "build"))
SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", "."))
PUBLISHED = SOURCE.parent / "shared" / "data" / "chat_templates"

TOOLS = [{"type": "function", "function": {
    "name": "weather", "description": "Is it \"<wet>\" & cold?", "parameters": {
        "type": "object", "required": ["city"],
        "properties": {"city": {"type": "string", "enum": ["Алматы", "Köln"]}, "days": {"type": "integer"}}}}}]
CALL = {"type": "function", "id": "abc123def",
        "function": {"name": "weather", "arguments": {"city": "Köln", "days": 2, "f": 1.0, "n": None}}}
CONVERSATIONS = {
    "question": [{"role": "user", "content": "Hi"}],
    "turns": [{"role": "user", "content": " a\nb "}, {"role": "assistant", "content": "é\n\n"},
              {"role": "user", "content": "<|im_end|> {{ x }}"}, {"role": "assistant", "content": ""}],
    "system": [{"role": "system", "content": "Be brief.\n"}, {"role": "user", "content": "Q"},
               {"role": "assistant", "content": "A"}],
    "thinking": [{"role": "user", "content": "1+1?"},
                 {"role": "assistant", "content": "<think>\none and one\n</think>\n\n2"},
                 {"role": "user", "content": "and 2+2?"},
                 {"role": "assistant", "content": "4", "reasoning_content": "easy"}],
    "tools": [{"role": "user", "content": "Wet?"},
              {"role": "assistant", "content": "", "tool_calls": [CALL, CALL]},
              {"role": "tool", "content": "{\"rain\": true}", "name": "weather", "tool_call_id": "abc123def"},
              {"role": "tool", "content": "no", "name": "weather", "tool_call_id": "abc123def"},
              {"role": "assistant", "content": "Yes."}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "What is"}, {"type": "text", "text": " it?"}]},
              {"role": "assistant", "content": [{"type": "text", "text": "It."}]}],
    "wrong order": [{"role": "assistant", "content": "A"}, {"role": "user", "content": "Q"}],
    "nothing": [],
}
SETTINGS = [
    {}, {"add_generation_prompt": True}, {"add_generation_prompt": True, "enable_thinking": False},
    {"enable_thinking": True}, {"tools": TOOLS}, {"tools": TOOLS, "add_generation_prompt": True},
    {"date_string": "1 May 2025"}, {"tools": []},
]

EDITED = [
    # Literals and concatenation.
    "{{ 'Ответ: ' ~ messages[0].content ~ \"\\n\" ~ 3 ~ none ~ true }}",
    "{{ bos_token }}{{ messages[-1]['content'] + eos_token }}",
    "{{ \"it's\" }}{{ 'say \"x\"' }}{{ 'tab\\tend\\\\' }}{{ '\\u00e9' }}",
    "{{ 1_000 + 2 }} {{ 3.50 }} {{ 1e3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 4 }} {{ 2 ** 5 }} {{ 7 / 2 }}",
    "{{ [1, 'a', none, true, 2.0] }} {{ {'a': 1, 'b': [2]} }} {{ (1, 2) }} {{ () }} {{ (1,) }}",
    # Loops.
    "{% for m in messages %}{{ loop.index }}/{{ loop.length }}{{ m.role }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{% for m in messages %}{% if loop.index0 == 2 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
    "{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}[{{ m.role }}]{% endfor %}",
    "{% for m in messages if m.role != 'assistant' %}{{ m.role }}{% else %}none{% endfor %}",
    "{% for m in messages | reverse %}{{ m.role }} {% endfor %}",
    "{% for m in messages[1:] %}{{ loop.previtem.role if loop.previtem is defined }}>{{ m.role }};{% endfor %}",
    "{% for m in messages %}{{ loop.nextitem.role if loop.nextitem is defined else 'end' }} {% endfor %}",
    "{% for m in messages %}{% if loop.changed(m.role) %}{{ m.role }}{% endif %}{% endfor %}",
    "{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in messages[0] %}{{ k }};{% endfor %}",
    "{% for i in range(3) %}{% for j in range(i) %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
    "{% for m in messages %}{{ loop.cycle('odd', 'even') }} {% endfor %}",
    "{% for i, j in [(1, 2), [3, 4]] %}{{ i * j }} {% endfor %}",
    "{% for x in [[1, [2, [3]]]] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}",
    # Namespaces, sets and scopes.
    "{% set ns = namespace(n=0, seen=false) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}{{ ns.seen }}",
    "{% set x = 1 %}{% for m in messages %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}",
    "{% set body %}a{{ messages | length }}b{% endset %}{{ body | upper }}{{ body | length }}",
    "{% set a, b = 'x', 'y' %}{{ b }}{{ a }}",
    "{% set x = messages[0] if messages else {'content': 'nobody'} %}{{ x.content }}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}",
    # Macros.
    "{% macro turn(role, text='-') %}<{{ role }}>{{ text }}{% endmacro %}{{ turn('u') }}{{ turn('u', text='t') }}{{ turn(text='z', role='r') }}",
    "{% macro list_of(items) %}{% for i in items %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}{% endmacro %}{{ list_of(['a', 'b']) | upper }}",
    "{% macro deep(n) %}{{ n }}{% if n > 0 %}{{ deep(n - 1) }}{% endif %}{% endmacro %}{{ deep(5) }}",
    "{% macro box() %}[{{ caller() }}]{% endmacro %}{% call box() %}in{% endcall %}",
    "{% macro all() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ all(1, 2, a=3) }}",
    # Conditions and tests.
    "{% if messages and messages[0].role == 'system' %}s{% elif messages | length > 2 %}long{% else %}short{% endif %}",
    "{{ 'yes' if tools is defined and tools is not none else 'no' }}{{ 'a' if false }}",
    "{% if messages[0].nothing is defined %}1{% endif %}{% if messages[0]['nothing'] is undefined %}2{% endif %}{{ nothing is none }}",
    "{{ messages[0].content is string }}{{ messages is sequence }}{{ messages[0] is mapping }}{{ messages is iterable }}{{ 1 is number }}{{ 1.0 is float }}",
    "{{ 3 is odd }}{{ 4 is divisibleby 2 }}{{ 'a' is in 'abc' }}{{ 2 is gt 1 }}{{ 'A' is upper }}{{ x is not defined }}{{ true is true }}{{ 1 is sameas 1 }}",
    "{{ 1 < 2 <= 2 != 3 }}{{ not 1 == 2 }}{{ 'b' not in ['a'] }}{{ 1 in [1.0] }}{{ '' or 'x' }}{{ 0 and 1 }}",
    "{{ 'x' is eq('x') }}{{ [] is sequence }}{{ none is iterable }}{{ range is callable }}{{ 'trim' is filter }}{{ 'odd' is test }}",
    # Filters.
    "{{ '  x ' | trim }}|{{ 'xxaxx' | trim('x') }}|{{ 'aBc dEf' | title }}{{ 'aBc' | capitalize }}{{ 'aB' | upper | lower }}",
    "{{ messages | map(attribute='role') | join('-') }}{{ messages | map(attribute='none', default='d') | list }}",
    "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list }}{{ messages | rejectattr('role', 'in', ['user']) | list | length }}",
    "{{ [3, 1, 2] | sort }}{{ ['b', 'A', 'c'] | sort(reverse=true) }}{{ [3, 1] | min }}{{ [3, 1] | max }}{{ [1, 2] | sum }}",
    "{{ ['a', 'b', 'a', 'A'] | unique | list }}{{ messages | groupby('role') | length }}{{ [1, 2, 3] | batch(2) | list }}",
    "{{ messages | first | tojson }}{{ messages | last }}{{ [] | first is defined }}{{ 'abc' | list }}",
    "{{ nothing | default('d') }}{{ '' | default('d', true) }}{{ none | d('x') }}{{ 'a,b' | replace(',', ';') }}",
    "{{ 3.7 | int }}{{ '4' | int + 1 }}{{ 3.14159 | round(2) }}{{ 2 | float }}{{ -3 | abs }}{{ 5 | string ~ '!' }}",
    "{{ 'a b c' | wordcount }}{{ 'long text here' | truncate(9) }}{{ '<a>' | escape }}{{ '<a>' | e }}{{ 'x' | center(5) }}|",
    "{{ {'b': 1, 'A': 2} | dictsort }}{{ {'b': 1} | items | list }}{{ 'a\nb' | indent(2) }}{{ 'a\nb' | indent(2, first=true) }}",
    "{{ '%s has %d' | format('x', 3) }}{{ '%s' % 'y' }}{{ 'a' ~ ['b'] | string }}",
    "{% filter upper %}in {{ 'x' }}{% endfilter %}",
    # JSON.
    "{{ tools | tojson }}|{{ tools | tojson(indent=4) }}|{{ 'é<>&\\'' | tojson }}|{{ {'b': 1, 'a': 1.0} | tojson }}",
    "{{ tools | tojson(ensure_ascii=true) }}{{ {'a': [1, 2]} | tojson(separators=(',', ':')) }}{{ {'b': 1, 'a': {'d': 1, 'c': 2}} | tojson(sort_keys=true) }}",
    "{% for t in tools %}{{ t.function.name }}({{ t.function.parameters.properties | tojson }}){% endfor %}",
    "{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.arguments | tojson }}{{ c['id'][:5] }}{% endfor %}{% endfor %}",
    # Slices and methods.
    "{{ 'abcdef'[1:4] }}{{ 'abcdef'[::-1] }}{{ 'abcdef'[-2:] }}{{ [1, 2, 3][:-1] }}{{ [1, 2, 3][::2] }}{{ messages[:1] | length }}",
    "{{ 'a,b,c'.split(',') }}{{ ' a '.strip() }}{{ 'ab'.startswith('a') }}{{ 'ab'.endswith('b') }}{{ 'Ab'.lower() }}{{ 'ab'.find('b') }}{{ 'aXbX'.rstrip('X') }}",
    "{{ 'x</think>y'.split('</think>')[-1].lstrip('\\n') }}{{ 'a-b-c'.rsplit('-', 1) }}{{ 'a.b'.partition('.') }}{{ 'a\\nb'.splitlines() }}",
    "{{ messages[0].get('role') }}{{ messages[0].get('x', 'y') }}{{ messages[0].keys() | list }}{{ messages[0].values() | list | length }}{{ 'x'.join(['a', 'b']) }}",
    "{{ 'abc'.upper().replace('B', '-').count('-') }}{{ 'é'.encode is defined }}{{ 'ab'.index('b') }}{{ '12'.isdigit() }}{{ 'ab'.isalpha() }}{{ 'a b'.title() }}",
    "{{ '{} and {}'.format('a', 1) }}{{ 'x'.zfill(3) }}{{ 'ab'.center(6) }}|{{ 'ab'.ljust(4) }}|{{ 'ß'.casefold() }}{{ 'aB'.swapcase() }}",
    "{{ strftime_now('%d %b %Y') }}{% set f = strftime_now %}{{ f('%Y-%m-%d %H:%M:%S %j %a %B') }}{{ strftime_now is callable }}",
    # White space.
    "  {%- if true -%}  a  {%- endif -%}  b\n",
    "{% if true %}\n  a\n  {% if true %}\n b\n  {% endif %}\n{% endif %}\nc\n",
    "a\n    {#- gone -#}\n  b {# kept #}\n c",
    "{%- for m in messages %}\n{{- m.role -}}\n{%- endfor %}\n",
    "{%+ if true %} a {%+ endif +%}\n b",
    "{% raw %}{{ not.this }} {% endraw %}|{{ '{%' }}",
    # What ends in an error.
    "{{ raise_exception('Roles must alternate: ' ~ messages | length) }}",
    "{{ nothing.at.all }}", "{{ messages[99].role }}", "{{ 1 + 'a' }}", "{{ 'a' | int + [] }}",
    "{{ ''.__class__ }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ messages.append(1) }}",
    "{{ messages.__init__.__globals__ }}", "{{ ().__class__.__bases__ }}", "{{ namespace.__init__ }}",
    "{{ messages[0].update({'a': 1}) }}", "{{ messages | attr('__class__') }}", "{{ range(10 ** 9) }}",
    "{% include 'x' %}", "{{ lipsum() }}", "{{ self }}", "{% if %}", "{{ 'open", "{% for x in %}{% endfor %}",
]

# Differences that are meant: what Jinja2 says here depends on the machine or on Python.
REFUSED_BY_US_IS_FINE = "is not supported"


def reference(template: str, variables: dict) -> tuple[str, str]:
    """("text", …) or ("error", …)."""
    try:
        compiled = _compile_jinja_template(template)
        compiled.environment.globals["strftime_now"] = datetime.datetime(2024, 7, 26).strftime
        return "text", compiled.render(**variables)
    except Exception as error:  # whatever the sandbox raises
        return "error", str(error)


def ours(asked: list[dict]) -> list[dict]:
    done = subprocess.run([BUILD / "tests" / "chat_probe"], capture_output=True, check=True,
                          input="".join(json.dumps(line) + "\n" for line in asked).encode())
    return [json.loads(line) for line in done.stdout.splitlines()]


class ChatTemplateTest(unittest.TestCase):

    def compare(self, templates: dict[str, str]) -> tuple[int, set[str]]:
        """How many renderings agreed, and what we said we do not have."""
        cases = [(name, source, {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": False,
                                 "tools": None, "documents": None, **settings, "messages": messages})
                 for name, source in templates.items()
                 for messages in CONVERSATIONS.values() for settings in SETTINGS]
        answers = ours([{"source": source, "variables": variables} for _, source, variables in cases])
        agreed, lacking, failures = 0, set(), {}
        for (name, source, variables), answer in zip(cases, answers, strict=True):
            kind, expected = reference(source, variables)
            if kind == "text" and REFUSED_BY_US_IS_FINE in answer.get("error", ""):
                self.assertIn("chatml", answer["error"])
                lacking.add(answer["error"])
                continue
            if ("error" in answer) == (kind == "error") and answer.get("text", expected) == expected:
                agreed += 1
            else:
                failures.setdefault(name, f"{name}\n  ours   {answer}\n  Jinja2 {kind}: {expected!r}")
        self.assertFalse(failures, "\n" + "\n".join(failures.values()))
        return agreed, lacking

    def test_published_templates(self):
        templates = {path.name: path.read_text(encoding="utf-8") for path in PUBLISHED.glob("*.jinja")}
        if not templates:
            self.skipTest("no templates in ../shared/data/chat_templates")
        agreed, lacking = self.compare(templates)
        self.assertEqual(lacking, set())
        print(f"{agreed} renderings of {len(templates)} published templates agree")

    def test_edited_templates(self):
        agreed, lacking = self.compare({source: source for source in EDITED})
        print(f"{agreed} renderings of {len(EDITED)} templates agree; not there:", *sorted(lacking), sep="\n  ")

    def test_published_templates_as_people_edit_them(self):
        edits = [("<|im_start|>", "[start]"), ("assistant", "model"), ("{%- ", "{% "), (" -%}", " %}"),
                 ("\\n", "\\n\\n"), ("content", "text"), ("[0]", "[-1]"), ("tojson", "tojson(indent=2)"),
                 ("is defined", "is not defined"), (" | trim", ""), ("==", "!="), ("loop.first", "loop.last"),
                 (" and ", " or "), ("not ", ""), ("[1:]", "[:-1]"), ("endfor %}", "endfor %}\n")]
        templates = {}
        for path in sorted(PUBLISHED.glob("*.jinja")):
            source = path.read_text(encoding="utf-8")
            for old, new in edits:
                if old in source:
                    templates[f"{path.name}: {old!r} → {new!r}"] = source.replace(old, new)
        if not templates:
            self.skipTest("no templates in ../shared/data/chat_templates")
        agreed, _ = self.compare(templates)
        print(f"{agreed} renderings of {len(templates)} edited templates agree")


if __name__ == "__main__":
    unittest.main()
