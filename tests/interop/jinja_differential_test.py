"""Expressions of chat templates against Jinja2, set up by transformers itself.

Where Jinja2 renders, ours gives the same text or an error that says "is not supported"; where Jinja2
refuses, ours does. Expressions are generated from values, filters, tests, methods and operators; what
does not fit into the generator is written by hand below.
"""

import datetime
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import unicodedata
import unittest

try:
    from transformers.utils.chat_template_utils import _compile_jinja_template
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", "build"))
NOT_SUPPORTED = "is not supported"

VARIABLES = {
    "messages": [{"role": "system", "content": "Be brief.\n"}, {"role": "user", "content": " ΌΔΟΣ ß\u2028x "},
                 {"role": "assistant", "content": "<think>\na\n</think>\n\nİI ǆ", "tool_calls": None},
                 {"role": "user", "content": ""}],
    "d": {"b": 1, "A": 2, "a": {"c": [1, 2], "items": 5}, "update": "u", "copy": "c", "name": None},
    "words": ["b", "A", "c", "a", "B"], "numbers": [3, -1, 2.5, 0, True], "mixed": [1, "1", None, [1], {"k": "v"}],
    "text": "  one\ttwo \x1cthree\u00a0four\r\nfive\x85six  ", "quotes": "it's \"x\" \u200b\u00e9\u0007\\",
    "empty": "", "nothing": None, "zero": 0, "half": 0.5, "yes": True, "no": False, "list": [], "map": {},
    "tools": [{"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}],
}

# Values that operators, filters, tests and methods are tried on.
VALUES = ["1", "0", "-7", "2.5", "-0.0", "1e16", "1e-5", "12345678901234567", "true", "false", "none", "undefined_name",
          "''", "'a'", "'Straße'", "'ab ab'", "'12'", "' 1_0 '", "'1e3'", "'nan'", "[]", "[1, 2, 3]", "['b', 'a']",
          "()", "(1,)", "(1, 'x')", "{}", "{'a': 1, 'b': 'x'}", "range(3)", "d.keys()", "d.items()", "d.values()",
          "messages", "messages[1].content", "words", "numbers", "mixed", "text", "quotes", "nothing",
          "words | map('upper')", "words | select", "[1, [2, (3, none)], {'a': 'é\\u200b'}]", "namespace(a=1)", "range"]

BINARY = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]

FILTERS = ["abs", "capitalize", "count", "default('x')", "default('x', true)", "d", "dictsort", "first", "float",
           "float(1.5)", "indent", "indent(2, true)", "indent('> ', blank=true)", "indent(width=1, first=true)", "int",
           "int(7)", "items | list", "join", "join(',')", "join(', ', 'role')", "join(attribute=0)", "last", "length",
           "list", "lower", "map('string') | list", "map(attribute='role') | list", "map('upper') | join",
           "map(attribute='a.c', default='z') | list", "map(attribute=0) | list", "reject | list", "replace('a', 'b')",
           "replace('a', 'b', 1)", "replace('', '-')", "replace('', '-', 2)", "replace(old='a', new='')", "reverse",
           "reverse | list", "reverse | first", "safe", "select | list", "select('string') | list",
           "selectattr('role', 'equalto', 'user') | list", "rejectattr('tool_calls') | list", "string", "title",
           "tojson", "tojson(indent=2)", "tojson(2)", "tojson(indent=none)", "tojson(ensure_ascii=false, indent=0)",
           "tojson(indent='\\t')", "tojson(true)", "trim", "trim('a ')", "trim(none)", "upper", "sort", "unique | list", "min",
           "max", "sum", "round", "round(1)", "batch(2) | list", "wordcount", "select('odd') | list", "e",
           "tojson(separators=(',', ':'))", "tojson(sort_keys=true)", "map('int') | list", "map('length') | list",
           "selectattr('b') | list", "first | upper", "list | length", "map('tojson') | list", "center(5)", "random"]

TESTS = ["boolean", "callable", "defined", "divisibleby(3)", "divisibleby 2", "eq 1", "equalto('a')", "even", "false",
         "float", "ge(1)", "gt 1", "in [1, 'a', none]", "in 'abc'", "integer", "iterable", "le 2", "lower", "lt 2",
         "mapping", "ne 1", "none", "number", "odd", "sameas none", "sameas true", "sameas 1", "sameas false",
         "sameas('a')", "sequence", "string", "true", "undefined", "upper", "escaped", "not none", "not string"]

METHODS = ["capitalize()", "count('a')", "count('')", "endswith('b')", "endswith(('x', 'b'))", "find('b')", "get('a')",
           "get('z', 'd')", "get(1)", "index('a')", "isdigit()", "items()", "items() | list", "join(['x', 'y'])", "keys()",
           "keys() | list", "lower()", "lstrip()", "lstrip('ab')", "partition(' ')", "removeprefix('a')",
           "removesuffix('b')", "replace('a', 'x')", "replace('a', 'x', 1)", "replace('', '.')", "rsplit()",
           "rsplit(none, 1)", "rsplit(maxsplit=1)", "rsplit('a', 1)", "rsplit(' ')", "rstrip()", "split()",
           "split(none, 1)", "split(maxsplit=0)", "split('a', 1)", "split('')", "split(sep=' ')", "splitlines()",
           "splitlines(true)", "splitlines(keepends=true)", "startswith('a')", "startswith(['a'])", "strip()",
           "strip('a')", "swapcase()", "title()", "upper()", "values()", "values() | list", "casefold()", "format(1)",
           "update({'z': 1})", "pop('a')", "append(1)", "copy()", "setdefault('a', 2)", "zfill(5)", "isalpha()",
           "encode()", "strip(chars='a')", "find('a', 1)", "islower()", "isspace()", "rfind('a')", "sort()"]

SUBSCRIPTS = ["[0]", "[-1]", "[5]", "['a']", "['upper']", "[1:]", "[:-1]", "[::-1]", "[::2]", "[3:0:-2]", "[-2:]",
              "[:0]", "[none:none]", "[1:'a']", ".a", ".items", ".update", ".copy", ".pop", ".nothing", ".__class__",
              "[true]", "[1.0]", "[none]", ".0", "[10:1:-3]", "[-100:100]", ".a.c", ".name", ".upper", "[::0]"]

WRITTEN = [
    # dict and namespace.
    "{{ dict(d, y=2) }}", "{{ dict([('a', 1), ['b', 2]], c=3) }}", "{{ dict() }}", "{{ dict(a=1) }}",
    "{{ dict(dict(a=1), a=2) }}", "{{ dict(d.items()) }}", "{{ dict(['ab', 'cd']) }}", "{{ dict([1]) }}",
    "{{ dict({}, **{'a': 1}) }}", "{{ dict([(1, 2)]) }}", "{{ dict(1) }}", "{{ dict({'a': 1}, {'b': 2}) }}",
    "{% set n = namespace(d, y=2) %}{{ n.b }}{{ n.y }}{{ n.q is defined }}{{ n['b'] }}", "{% set n = namespace([('a', 1)]) %}{{ n.a }}",
    "{% set n = namespace() %}{% set n.a = [1] %}{{ n.a }}{{ n }}", "{{ dict(a=1) == {'a': 1} }}", "{{ dict(d) is sameas d }}",
    # sameas.
    "{{ d is sameas d }}{{ words is sameas words }}{{ [] is sameas [] }}{{ {} is sameas {} }}", "{{ words[:] is sameas words }}",
    "{% set w = words %}{{ w is sameas words }}", "{{ words | list is sameas words }}", "{{ 1 is sameas 1.0 }}{{ 1 is sameas true }}",
    "{{ 1000 is sameas 1000 }}", "{{ 'a' is sameas 'a' }}", "{{ 'a' is sameas 'b' }}", "{{ none is sameas none }}{{ x is sameas y }}",
    "{% for m in messages %}{{ m is sameas messages[0] }}{% endfor %}", "{{ messages | first is sameas messages[0] }}",
    # Iterators are read once and are always true.
    "{{ 'y' if messages | selectattr('role', 'equalto', 'x') else 'n' }}", "{{ 'y' if d | items else 'n' }}",
    "{% set s = words | map('upper') %}{{ s | list }}{{ s | list }}", "{% set s = words | select %}{{ s | first }}{{ s | first }}",
    "{% set s = words | reverse %}{% for w in s %}{{ w }}{% endfor %}|{% for w in s %}{{ w }}{% endfor %}",
    "{% set s = words | map('lower') %}{% for w in s %}{{ w }}{% break %}{% endfor %}{{ s | list }}",
    "{% set s = words | map('lower') %}{{ 'a' in s }}{{ s | list }}", "{{ words | map('upper') | length }}", "{{ words | map('upper') | last }}",
    "{{ (words | map('upper'))[0] }}", "{{ words | reverse | join }}{{ words | reverse | length }}", "{{ words | map('upper') }}",
    "{{ words | map('upper') | tojson }}", "{% for w in words | map('upper') %}{{ loop.length }}{{ loop.last }}{{ w }}{% endfor %}",
    "{{ nothing | selectattr('a') | list }}{{ 0 | map('x') | list }}{{ '' | select | list }}", "{{ undefined_name | map('a') | list }}",
    "{{ words | select | select | list }}", "{{ (words | select) + ['x'] }}", "{{ words | select == words | select }}",
    # Views of dicts.
    "{{ d.keys() }}", "{{ d.keys()[0] }}|{{ d.items()[0] }}|{{ d.values()[0] }}", "{{ d.keys() | first }}{{ d.keys() | length }}{{ 'a' in d.keys() }}",
    "{{ d.items() | tojson }}", "{{ d.keys() == ['b'] }}", "{{ 'k' if {}.keys() else 'e' }}", "{{ d.keys() | last }}", "{{ d.keys() | reverse | list }}",
    "{% for k, v in d.items() %}{{ loop.index }}{{ k }}={{ v }};{% endfor %}", "{{ d.items()[1:] }}", "{{ d | first }}{{ d | last }}{{ d | list }}",
    # Ranges.
    "{{ range(3) }}", "{{ range(3) == [0, 1, 2] }}{{ range(3) == range(3) }}", "{{ range(5)[1:3] | list }}{{ range(5)[-1] }}", "{{ range(2) + [1] }}",
    "{{ range(5, 0, -2) | list }}{{ range(0) | list }}{{ range(true) | list }}", "{{ range() }}", "{{ range(stop=3) }}", "{{ range(1.0) }}",
    "{{ range(3) | tojson }}", "{{ 2 in range(3) }}{{ range(4).start }}",
    # Loops.
    "{% for m in messages %}{{ loop.previtem.role }}-{{ loop.nextitem.role if loop.nextitem }};{% endfor %}",
    "{% for a in words %}{% for b in numbers %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}{{ loop.depth }}{% endfor %}",
    "{% for a in words %}{{ loop.cycle('x', 'y', 'z') }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{% endfor %}",
    "{% for a in words %}{{ loop.cycle() }}{% endfor %}", "{% for a in words %}{{ loop.changed(a) }}{% endfor %}", "{% for a in words %}{{ loop | length }}{% endfor %}",
    "{% for a in words %}{{ loop }}{% endfor %}", "{% for a in words %}{{ loop.nothing }}{{ loop.changed is defined }}{% endfor %}",
    "{% for a in words if a != 'c' %}{{ loop.index }}{{ loop.length }}{{ a }}{% else %}e{% endfor %}", "{% for a in [] %}x{% else %}e{{ loop is defined }}{% endfor %}",
    "{% for a in words %}{% for b in words if loop.first %}{{ b }}{% endfor %}{% endfor %}", "{% for a, b in d.items() %}{{ a }}{% endfor %}{{ a }}",
    "{% for (a, b) in d.items() %}{{ a }}{% endfor %}", "{% for x in 1, 2 %}{{ x }}{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{% endfor %}", "{% for a in 5 %}{% endfor %}",
    "{% for a in words %}{% set words = [] %}{{ words }}{% endfor %}{{ words }}", "{% for a in words %}{% if loop.index == 2 %}{% continue %}{% endif %}{{ a }}{% endfor %}",
    "{% for c in 'aβ' %}{{ c }}{{ loop.index }}{% endfor %}", "{% for a in nothing %}{% endfor %}", "{% for a in undefined_name %}x{% else %}e{% endfor %}",
    "{% set ns = namespace(x=0) %}{% for a in words %}{% set ns.x %}{{ a }}{% break %}{% endset %}{% endfor %}{{ ns.x }}",
    # Macros and scopes.
    "{% macro f(a, b='x', c=b) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(c=3, a=1) }}{{ f() }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}",
    "{% for a in words %}{% macro f() %}{{ a }}{% endmacro %}{{ f() }}{% endfor %}", "{% macro f(x) %}{% macro g() %}[{{ x }}]{% endmacro %}{{ g() }}{% endmacro %}{{ f(1) }}{{ f(2) }}",
    "{% set ns = namespace() %}{% for a in words %}{% macro f() %}{{ a }}{% endmacro %}{% set ns.f = f %}{% endfor %}{{ ns.f() }}",
    "{% macro f() %}{{ a }}{% endmacro %}{% set a = 1 %}{{ f() }}{% for a in words %}{{ f() }}{% endfor %}", "{% macro f() %}{{ f.name }}{% endmacro %}{{ f() }}",
    "{% macro f() %}{{ caller is defined }}{{ varargs is defined }}{% endmacro %}{{ f() }}", "{% macro f() %}a{% endmacro %}{{ f() ~ f() | upper }}{{ f() is string }}{{ f }}",
    "{% macro f(x) %}{% if x > 0 %}{{ x }}{{ f(x - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{{ f() }}{% macro f() %}{% endmacro %}", "{% if no %}{% macro f() %}{% endmacro %}{% endif %}{{ f is defined }}",
    "{% set x %}a{% set y = 1 %}{% endset %}{{ x }}{{ y is defined }}", "{% set x | upper %}a{% endset %}{{ x }}", "{% set a, b = 'xy' %}{{ b }}{{ a }}", "{% set (a, b) = (1, 2) %}{{ a }}",
    "{% set x = 1, 2 %}{{ x }}", "{% if yes %}{% set q = 1 %}{% endif %}{{ q }}", "{% set d.b = 3 %}", "{% generation %}{% set q = 1 %}x{% endgeneration %}{{ q is defined }}",
    # Names that Jinja2 defines.
    "{{ lipsum is defined }}", "{{ cycler is defined }}{{ joiner }}", "{{ self is defined }}", "{{ loop is defined }}{{ caller is defined }}", "{{ dict is callable }}{{ namespace is defined }}",
    # Marked safe.
    "{{ '<b>' | safe }}", "{{ ('<b>' | safe) + '<' }}", "{{ ('<b>' | safe) ~ '<' }}", "{{ ['<b>' | safe] }}", "{{ ['<b>' | safe] | tojson }}", "{{ ('a' | safe) == 'a' }}{{ 'a' | safe | length }}",
    "{{ '<b>' | safe | upper }}", "{{ ('<b>' | safe).upper() }}", "{{ ['<', '<b>' | safe] | join }}", "{{ d | tojson | safe }}", "{{ 5 | safe }}{{ none | safe }}", "{{ 'x<b>' | replace('x', '<i>' | safe) }}",
    # Numbers.
    "{{ 5.5 % 0.1 }} {{ -5.5 % 2 }} {{ 5.5 % -2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ -7 // 2 }} {{ 7 // -2 }}", "{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 0.3 // 0.1 }} {{ 1e300 // 3 }} {{ -0.0 // 1 }}",
    "{{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ 0 ** 0 }} {{ (-8) ** 3 }} {{ -2 ** 2 }}", "{{ 0 ** -1 }}", "{{ (-8) ** 0.5 }}", "{{ 10 ** 400 }}", "{{ 10.0 ** 400 }}", "{{ 2 ** 63 }}", "{{ 9223372036854775807 + 1 }}",
    "{{ 99999999999999999999 }}", "{{ 0x10 }}", "{{ 0b11 }}", "{{ 1e3 }} {{ 1.0 }} {{ 1e22 }} {{ 123456789.123 }} {{ 1e15 }} {{ 1e-4 }} {{ 0.00001 }}", "{{ 1/3 }} {{ 2/1 }} {{ 1e308 * 10 }}",
    "{{ 9007199254740993 == 9007199254740992.0 }}{{ 9007199254740993 > 9007199254740992.0 }}", "{{ 1 / 0 }}", "{{ 1 % 0 }}", "{{ 1.0 // 0 }}", "{{ true + true }}{{ -true }}{{ +true }}{{ true * 'a' }}",
    "{{ '99999999999999999999' | int }}", "{{ 1e30 | int }}", "{{ '1e999' | int }}{{ 'inf' | float }}{{ '1e999' | float }}", "{{ '\u0663' | int }}", "{{ '\u00a07 ' | int }}{{ '1__0' | int(3) }}{{ '_1' | int }}{{ '+5' | int }}{{ '0x1' | int }}",
    "{{ 'nan' | float }}{{ 'nan(1)' | float }}{{ '.5' | float }}{{ '5.' | float }}{{ '-1_0.5' | float }}", "{{ '42.9' | int }}{{ '-42.9' | int }}{{ '' | int }}{{ 'x' | int('d') }}", "{{ undefined_name | int }}", "{{ undefined_name | float(2) }}",
    "{{ '12' | int(base=8) }}", "{{ 1_000 }}{{ 1_0.5 }}", "{{ 3.7 | round }}{{ 2.5 | round('floor') }}",
    # Strings.
    "{{ 'a' * 3 }}{{ 3 * 'a' }}{{ 'a' * -1 }}{{ [1] * 2 }}{{ 2 * [1] }}{{ (1,) * 2 }}", "{{ 'a' 'b' }}{{ 'a' ~ 1 ~ none ~ [1] }}", "{{ '%s' % 'x' }}", "{{ '%s-%d' | format('x', 3) }}", "{{ '{}'.format(1) }}",
    "{{ '\\N{BULLET}' }}", "{{ '\\x41\\u00e9\\U0001F600\\101\\d\\'' }}", "{{ 'a\\\nb' }}", "{{ \"a'b\" }}{{ ['a\"b', \"a'b\", 'a\\'b\"c'] }}", "{{ ['\u00a0', '\u200b', '\ue000', '\U0001F600', '\u0378', '\x7f', '\u2028', '\u3000', '\xad'] }}",
    "{{ '' in 'abc' }}{{ 'bc' in 'abc' }}{{ 'a' in ['a'] }}{{ 'a' in {'a': 1} }}{{ 1 in {'a': 1} }}", "{{ [1] in {'a': 1} }}", "{{ 1 in 'abc' }}", "{{ [1, 2] < [1, 3] }}{{ (1, 2) < (1,) }}{{ 'a' < 'B' }}{{ 'é' > 'z' }}", "{{ [1] < ['a'] }}",
    "{{ [1] == (1,) }}{{ [1.0] == [1] }}{{ {'a': 1} == {'a': 1.0} }}{{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }}", "{{ 1 < 'a' }}", "{{ none < 1 }}", "{{ {} < {} }}", "{{ 1 == true }}{{ 'a' == 1 }}{{ none == false }}",
    "{{ 'a\\r\\nb\\x0bc\\x1cd\\x85e\\u2028f\\n'.splitlines() }}", "{{ 'a\\r\\nb\\rc\\n\\nd'.splitlines(true) }}", "{{ ' a  b  c  '.split(none, 1) }}{{ ' a  b  c  '.rsplit(none, 1) }}{{ ' a '.split(none, 0) }}{{ ' a '.rsplit(none, 0) }}",
    "{{ 'a\\u3000b\\u200bc\\u1680d'.split() }}{{ 'a,b,,c'.split(',') }}{{ 'a,b,,c'.rsplit(',', 2) }}{{ ''.split() }}{{ ''.split(',') }}", "{{ 'aXbXc'.split('X', -1) }}{{ 'aXbXc'.split('X', true) }}", "{{ 'a'.split(1) }}", "{{ 'a'.split('a', 'b') }}",
    "{{ 'ΑΣ ΑΣΑ Σ ΑΣ. \\'ΑΣ\\' Α\u0301Σ'.lower() }}|{{ 'ΑΣ ΑΣΑ' | lower }}", "{{ 'ß ŉ ﬁ ΐ և İ ǆ ǅ Ǆ ı ſ K Å ῼ ᾳ' | upper }}|{{ 'ß ŉ ﬁ ΐ և İ ǆ ǅ Ǆ ı ſ K Å ῼ ᾳ' | lower }}|{{ 'ß ŉ ﬁ ΐ և İ ǆ ǅ Ǆ ı ſ K Å ῼ ᾳ' | title }}",
    "{{ 'ǆungla'.capitalize() }}{{ 'ßa ßb'.title() }}{{ 'ßa ßb' | title }}{{ 'ßA' | capitalize }}{{ 'ΑΣ' | title }}{{ 'ΑΣ ΣΑΣ'.title() }}{{ 'ΣΑΣ'.capitalize() }}{{ 'ﬁa' | title }}{{ 'ﬁa'.title() }}",
    "{{ \"they're bill's\" | title }}{{ \"they're bill's\".title() }}{{ 'a-b(c)d[e]f{g}h<i>j_k' | title }}{{ 'x1y 2z' | title }}{{ 'x1y'.title() }}{{ 'ªa ⓐb'.title() }}", "{{ '1' is upper }}{{ 'A1' is upper }}{{ '' is lower }}{{ 'ⓐ' is lower }}{{ ['a'] is lower }}{{ 'ǅ' is upper }}",
    "{{ '²' .isdigit() }}", "{{ '٣'.isdigit() }}{{ 'x²'.isdigit() }}{{ ''.isdigit() }}", "{{ 'abc'.replace('', '-', 2) }}{{ 'aaa'.replace('a', 'b', 2) }}{{ 'é'.replace('', '.') }}", "{{ ' \\u00a0\\x1cx\\u2003 ' | trim }}|{{ 'xyx'.strip('yx') }}|{{ 'éaé'.strip('é') }}|",
    "{{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\r\\nb\\u2028c\\n' | indent(2) }}|{{ '' | indent(2, true) }}|{{ 'a\\n\\nb' | indent(1, blank=true) }}", "{{ 5 | indent }}", "{{ 'ab'.index('b') }}", "{{ 'x'.join([1]) }}", "{{ 'x'.join('abc') }}{{ 'x'.join(d) }}{{ ''.join(words | reverse) }}",
    "{{ 'a'.__class__ }}|{{ d.__len__ }}|{{ d.update }}|{{ d['update'] }}|{{ words.append }}|", "{{ d.copy }}", "{{ 'a'.format is defined }}", "{{ 'a'['strip']() }}", "{{ d['get']('b') }}", "{{ d.items.x }}", "{{ (5).real }}", "{{ 2.5.real }}",
    # White space and tags.
    "a \u00a0{%- if yes %}b{% endif %}", "{% if yes -%}\u00a0 \u2003b{% endif %}", "\u00a0{% if yes %}b{% endif %}", "x\u3000{{- 'a' -}}\u2028y", "{{ 'a'\u00a0}}", "{{ \u201cx\u201d }}", "{{ é }}", "a\u00a0\n  {% if yes %}\n b\n{% endif %}", "{#- x -#} a", "{% raw -%} a {%- endraw %} b",
    "  {%+ if yes %}a{% endif %}\n\n", "{%- set x = 1 +%}\n a", "{{ 1 }}\n\n{{ 2 }}\n", "a\r\nb\rc", "{% if yes %}\n\n a{% endif %}\n", "\t{# c #}\n a", "{{ '{{' }}{{ '%}' }}",
    # JSON.
    "{{ quotes | tojson }}{{ text | tojson }}{{ numbers | tojson }}{{ mixed | tojson }}{{ d | tojson(indent=4) }}", "{{ [] | tojson(indent=2) }}{{ {} | tojson(indent=2) }}{{ [[]] | tojson(indent=2) }}{{ (1, 2) | tojson }}", "{{ tools | tojson(indent=true) }}{{ tools | tojson(indent=-1) }}",
    "{{ undefined_name | tojson }}", "{{ 'nan' | float | tojson }}{{ 1e999 | tojson }}{{ '\u2028<>&\\'' | tojson }}", "{{ '\\ud83d' | tojson }}", "{{ 1.0 | tojson }}{{ 1e16 | tojson }}{{ true | tojson }}{{ none | tojson }}", "{{ namespace() | tojson }}", "{{ d | tojson(ident=2) }}",
    # Dates and exceptions.
    "{{ strftime_now('%Y-%m-%d') }}{{ strftime_now('%-d %B') }}{{ strftime_now('%%x') }}", "{{ strftime_now('%f') }}", "{{ strftime_now('%Q') }}", "{{ raise_exception('x') }}", "{{ raise_exception() }}",
    # Filters of filters.
    "{{ messages | selectattr('role', 'in', ['user']) | map(attribute='content') | map('trim') | join('|') }}", "{{ messages | map(attribute='tool_calls', default='none') | list }}", "{{ messages | map(attribute='a.b') | list }}", "{{ messages | map(attribute='a.b', default='x') | list }}",
    "{{ messages | groupby('role') | list | length }}", "{{ words | sort(reverse=true, case_sensitive=true) }}", "{{ d | dictsort(by='value') }}", "{{ d | dictsort(true) }}", "{{ {'B': 1, 'a': 2, 'É': 3} | dictsort }}", "{{ words | map('replace', 'a', 'x') | list }}", "{{ words | map('default', 'x') | list }}",
    "{{ words | join(d='-') }}{{ words | join(attribute='upper') }}", "{{ 'abc' | reverse }}{{ 'abc' | first }}{{ 'abc' | last }}{{ '' | first is defined }}", "{{ words | first(1) }}", "{{ 'a' | upper(1) }}", "{{ words | nothing }}", "{{ 'a' is nothing }}", "{{ words | map | list }}", "{{ words | selectattr | list }}",
    "{{ 'a' if d.a.items is defined }}{{ d.a['items'] }}{{ d.a.get('items') }}{{ d.a['c'] }}", "{{ d | items | list }}{{ undefined_name | items | list }}{{ d | length }}", "{{ 1 if 2 if 0 else 3 else 4 }}", "{{ not yes and no or yes }}{{ 1 in [1] == true }}{{ 1 < 2 < 3 }}{{ not 1 == 2 }}",
]


def reference(source: str) -> tuple[str, str]:
    """("text", …) or ("error", …)."""
    try:
        compiled = _compile_jinja_template(source)
        compiled.environment.globals["strftime_now"] = datetime.datetime(2024, 7, 26).strftime
        text = compiled.render(**json.loads(json.dumps(VARIABLES)))
        text.encode()  # a lone surrogate cannot be written
        return "text", text
    except Exception as error:  # whatever the sandbox raises
        return "error", f"{type(error).__name__}: {error}"


def ours(sources: list[str], variables: dict) -> list[dict]:
    asked = "".join(json.dumps({"source": source, "variables": variables}) + "\n" for source in sources)
    done = subprocess.run([BUILD / "tests" / "chat_probe"], capture_output=True, check=True, input=asked.encode())
    return [json.loads(line) for line in done.stdout.split(b"\n") if line]


def generated() -> list[str]:
    chosen = random.Random(16)
    sources = []
    for value in VALUES:
        sources += [f"{{{{ ({value}) | {name} }}}}" for name in FILTERS]
        sources += [f"{{{{ ({value}) is {name} }}}}" for name in TESTS]
        sources += [f"{{{{ ({value}).{name} }}}}" for name in METHODS]
        sources += [f"{{{{ ({value}){name} }}}}" for name in SUBSCRIPTS]
        sources += [f"{{{{ {value} }}}}|{{{{ 'y' if {value} else 'n' }}}}{{{{ -({value}) if ({value}) is number }}}}"]
    # Python computes a power of integers to its last digit, however long that takes.
    pairs = [(a, op, b) for a, op, b in itertools.product(VALUES, BINARY, VALUES)
             if not (op == "**" and b == "12345678901234567")]
    sources += [f"{{{{ ({a}) {op} ({b}) }}}}" for a, op, b in chosen.sample(pairs, 6000)]
    return sources


class JinjaDifferentialTest(unittest.TestCase):

    def compare(self, sources: list[str]):
        failures, unsupported = [], 0
        for source, answer in zip(sources, ours(sources, VARIABLES), strict=True):
            kind, expected = reference(source)
            if NOT_SUPPORTED in answer.get("error", ""):
                unsupported += 1
                continue
            same = answer.get("text") == expected if kind == "text" else "error" in answer
            if not same:
                failures.append(f"{source!r}\n  ours   {answer}\n  Jinja2 {kind}: {expected!r}")
        print(f"{len(sources) - len(failures) - unsupported} of {len(sources)} expressions agree, "
              f"{unsupported} are named as not supported")
        self.assertFalse(failures, f"{len(failures)} differ\n" + "\n".join(failures[:40]))

    def test_written_templates(self):
        self.compare(WRITTEN)

    def test_generated_expressions(self):
        self.compare(generated())

    def test_case_mapping_of_every_character(self):
        if unicodedata.unidata_version not in ("14.0.0", "15.0.0"):
            self.skipTest(f"this Python knows Unicode {unicodedata.unidata_version}")
        # Only characters that this Python knows: utf8proc may know more.
        points = [chr(c) for c in range(1, 0x20000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
        template = ("{{ x | upper }}{{ x | lower }}{{ x | title }}{{ x.title() }}{% for c in parts %}{{ c is lower }}"
                    "{{ c.capitalize() }}{{ [c] }}{{ c.strip() }}{{ c.splitlines() | length }}{{ ('A' ~ c ~ 'Σ').lower() }}{% endfor %}")
        for begin in range(0, len(points), 512):
            parts = points[begin:begin + 512]
            variables = {"x": "".join(parts), "parts": parts}
            answer = ours([template], variables)[0]
            self.assertEqual(answer.get("text"), _compile_jinja_template(template).render(**variables), hex(ord(parts[0])))


if __name__ == "__main__":
    unittest.main()
