"""Scaffolds: a context's records, facts, rules, declarations and tests as drafts, from the audit's findings.

What belongs here: the text of these files. What does not: finding business logic (`audit`), and deciding about it: each
draft raises until somebody has decided, and its test fails until then.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from textwrap import indent, wrap

from olist_pipeline.audit.model import Entry, Kind
from olist_pipeline.drafts.columns import SAMPLE, Sample, identifier, sample_of
from olist_pipeline.drafts.placing import Fields, placed

WIDTH = 116
"""How long a line of a draft may be, indented."""
TYPES = ("int", "str", "float", "datetime", "Decimal")
"""The types of columns: in a class that has a column of such a name, it would stand for that column."""
ANYBODYS = ("id", "key", "code", "number", "no", "name")
"""Names that ids of several tables have: a row of one is not that of another."""
REJECTING = (Kind.VALIDATION,)


@dataclass(frozen=True)
class Draft:
    """What becomes of one piece of logic: a function of the facts of a file; `notes` say what is not known of that."""

    entry: Entry
    name: str
    file: str
    notes: tuple[str, ...]
    places: tuple[str, ...]

    @property
    def is_rule(self) -> bool:
        """Whether it keeps rows out, and is no attribute of them."""
        return self.entry.finding.kind in REJECTING


def files_of(
    context: str, entries: Sequence[Entry], landing: Mapping[str, Path], sources: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the files of a context's draft by name; `landing` has the files that it validates.

    `sources` says which of them a source table of the old project is (`raw.rides`), as far as that is known.
    """
    samples = {file: sample_of(path) for file, path in landing.items()}
    columns = {file: sample.types for file, sample in samples.items()}
    fields = {file: {sample.headers.get(name, name): name for name in sample.types} for file, sample in samples.items()}
    drafts = _drafts([entry for entry in entries if entry.state == "open"], fields, sources or {})
    return {
        f"{context}/__init__.py": f'"""The context {context}: records, rules, and what the pipeline reads of it."""\n',
        f"{context}/records.py": _records(context, samples),
        f"{context}/rules.py": _rules(context, columns, drafts),
        f"{context}/declared.py": _declared(context, {file: sample.key for file, sample in samples.items()}),
        f"tests/test_{context}_rules.py": _tests(context, drafts),
        f"new/models/{context}_sources.yml": _sources(context, columns),
    }


def _text(value: str) -> str:
    """Return a text as Python source has it, in double quotes."""
    return json.dumps(value, ensure_ascii=False)


def _class(file: str) -> str:
    return _table(file).title().replace("_", "")


def _table(file: str) -> str:
    return identifier(Path(file).stem)


def _constant(file: str, context: str) -> str:
    """Return the name of a landing table; the context may be called like its file."""
    name = _table(file).upper()
    return f"{name}_TABLE" if name == context.upper() else name


def _spelled(kind: str, columns: Mapping[str, Mapping[str, str]]) -> str:
    """Return how a type is written beside these columns: none of them may be called so."""
    name, missing = kind.removesuffix(" | None"), " | None" * kind.endswith("None")
    if not any(name in types for types in columns.values()):
        return kind
    return f"{'builtins.' if name in dir(builtins) else ''}{name}{'' if name in dir(builtins) else '_type'}{missing}"


def _imports(columns: Mapping[str, Mapping[str, str]], used: Collection[str]) -> str:
    """Return the lines that import the types of columns."""
    spelled = {name: _spelled(name, columns) for name in TYPES if name in used}
    lines = ["import builtins"] if any(name.startswith("builtins.") for name in spelled.values()) else []
    for name, module in (("datetime", "datetime"), ("Decimal", "decimal")):
        if name in used:
            lines.append(f"from {module} import {name}{'' if spelled[name] == name else f' as {spelled[name]}'}")
    return "".join(f"{line}\n" for line in lines)


def _records(context: str, samples: Mapping[str, Sample]) -> str:
    columns = {file: sample.types for file, sample in samples.items()}
    used = {kind.removesuffix(" | None") for types in columns.values() for kind in types.values()}
    imports = _imports(columns, used)
    classes = "\n\n\n".join(
        f"class {_class(file)}Record(Record):\n"
        f'    """One row of `{file}`. A column that may be empty says `| None`: look each one through."""\n\n'
        + "\n".join(
            f"    {name}: {_spelled(kind, columns)}{_said(kind, sample.headers.get(name))}"
            for name, kind in sample.types.items()
        )
        for file, sample in samples.items()
    )
    if any(sample.headers for sample in samples.values()):
        imports = f"{imports}{chr(10) * bool(imports)}from pydantic import Field\n"
    return (
        f'"""Records of {context}: typed rows as intake publishes them, guessed from the first {SAMPLE} rows."""\n\n'
        f"{imports}{chr(10) * bool(imports)}from olist_domain.kernel.records import Record\n\n\n{classes}\n"
    )


def _said(kind: str, header: str | None) -> str:
    """Return what stands behind the type of a field: that it may be missing, and what the file calls it."""
    said = ["default=None"] if kind.endswith("None") else []
    if header is None:
        return " = None" if said else ""
    return f" = Field({', '.join([*said, f'alias={_text(header)}'])})"


def _rules(context: str, columns: Mapping[str, Mapping[str, str]], drafts: Sequence[Draft]) -> str:
    facts = "\n\n\n".join(
        f"@dataclass(frozen=True, eq=False)\nclass {_class(file)}Facts:\n"
        f'    """What rules read of one row of `{file}`."""\n\n'
        + "\n".join(
            f"    {name}: Fact[{_spelled(kind.removesuffix(' | None'), columns)}]" for name, kind in types.items()
        )
        for file, types in columns.items()
    )
    functions = "\n\n\n".join(map(_function, drafts))
    lines = _imports(columns, TYPES).splitlines(keepends=True)
    builtin, imports = ("".join(line for line in lines if line.startswith("import ") is kind) for kind in (True, False))
    offered = sorted(
        ["Severity", "choose", "derivation", "rule", *(_spelled(n, columns) for n in ("Decimal", "datetime"))]
    )
    books = "\n\n".join(_book(context, file, [draft for draft in drafts if draft.file == file]) for file in columns)
    return (
        f'"""Facts, rules and derivations of {context}: drafts of what the old SQL decides.\n\n'
        "Each draft raises Undecided until it is written: replace its body, and its statement by what the business\n"
        'says. What is a copy of another one is deleted, and its place added to the `replaces` of that one.\n"""\n\n'
        f"from __future__ import annotations\n\n{builtin}from dataclasses import dataclass\n{imports}\n"
        "from olist_domain.kernel.facts import Fact, choose\n"
        "from olist_domain.kernel.rules import Rulebook, Severity, derivation, rule\n\n\n"
        "class Undecided(Exception):  # noqa: N818 read as a word\n"
        '    """Nobody has decided yet what this rule says."""\n\n\n'
        f"{facts}\n\n\n{functions}{chr(10) * 3 if drafts else ''}{books}\n\n"
        f"__all__ = [{', '.join(map(_text, offered))}]\n"
    )


def _book(context: str, file: str, drafts: Sequence[Draft]) -> str:
    rules, derivations = ([draft.name for draft in drafts if draft.is_rule is kind] for kind in (True, False))
    return (
        f"{_table(file).upper()}_RULES = Rulebook(\n    context={_text(context)},\n    subject={_text(_table(file))},\n"
        f"    table={_text(_table(file))},\n    facts={_class(file)}Facts,\n"
        f"    rules={_listed(rules)},\n    derivations={_listed(derivations)},\n)"
    )


def _drafts(entries: Sequence[Entry], columns: Mapping[str, Fields], sources: Mapping[str, str]) -> list[Draft]:
    """Return a draft for each piece of logic, with a function name of its own; exact copies stand once."""
    copies: dict[str, list[Entry]] = {}
    for entry in entries:
        copies.setdefault(entry.finding.shape.normal, []).append(entry)
    found: list[Draft] = []
    for same in copies.values():
        entry = same[0]
        place = placed(entry.finding, columns, sources)
        name = _free(identifier(entry.finding.column or entry.finding.model), {draft.name for draft in found})
        places = tuple(dict.fromkeys(one.finding.place for one in same))
        found.append(Draft(entry, name, place.file, place.notes, places))
    return found


def _free(base: str, taken: Collection[str]) -> str:
    names = (base if number == 1 else f"{base}_{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def _function(draft: Draft) -> str:
    finding = draft.entry.finding
    decorator = (
        _call("@rule", [_text(draft.name.upper()), "Severity.REJECT", f"replaces={_tuple(draft.places)}"])
        if draft.is_rule
        else _call("@derivation", [f"replaces={_tuple(draft.places)}"])
    )
    result = "Fact[bool]" if draft.is_rule else "Fact[str]"
    signature = f"def {draft.name}(row: {_class(draft.file)}Facts) -> {result}:"
    if len(signature) > WIDTH:
        signature = f"def {draft.name}(\n    row: {_class(draft.file)}Facts,\n) -> {result}:"
    comments = [f"{finding.file}, line {finding.line}: {finding.kind}", *draft.notes, finding.sql]
    return (
        f"{decorator}\n{signature}\n{_docstring(finding.statement.rstrip('.') + '.')}\n"
        + "".join(map(_comment, comments))
        + f"    raise {_call('Undecided', [_text(finding.place)], '    ')}"
    )


def _call(name: str, arguments: Sequence[str], margin: str = "") -> str:
    """Return a call on one line where it fits, else with a line an argument."""
    line = f"{name}({', '.join(arguments)})"
    if len(margin) + len(line) <= WIDTH:
        return line
    return f"{name}(\n" + "".join(f"{margin}    {one},\n" for one in arguments) + f"{margin})"


def _tuple(texts: Sequence[str]) -> str:
    line = f"({', '.join(map(_text, texts))},)"
    return line if len(line) <= WIDTH // 2 else "(\n" + "".join(f"        {_text(one)},\n" for one in texts) + "    )"


def _docstring(text: str) -> str:
    said = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    lines = wrap(said, WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    return f'    """{lines[0]}"""' if len(lines) == 1 else indent('"""' + "\n".join(lines) + '\n"""', "    ")


def _comment(text: str) -> str:
    lines = wrap(" ".join(text.split()), WIDTH - 6, break_long_words=False, break_on_hyphens=False)
    return "".join(f"    # {line}\n" for line in lines)


def _listed(names: Sequence[str]) -> str:
    line = f"({', '.join(names)},)" if names else "()"
    return line if len(line) <= WIDTH - 20 else "(\n" + "".join(f"        {name},\n" for name in names) + "    )"


def _declared(context: str, keys: Mapping[str, tuple[str, ...]]) -> str:
    tables = "\n".join(
        f"{_constant(file, context)} = LandingTable(\n    {_text(_table(file))},\n    {_text(file)},\n"
        f"    {_text(context)},\n"
        f"    {_class(file)}Record,\n    ({', '.join(map(_text, key))},),  # what identifies a row\n"
        f"    aggregate={_text(_table(file))},\n    identity={_text(key[0])},\n)"
        for file, key in keys.items()
    )
    records = ", ".join(sorted(f"{_class(file)}Record" for file in keys))
    books = ", ".join(sorted(f"{_table(file).upper()}_RULES" for file in keys))
    steps = ", ".join(f"step_alone({_constant(file, context)}, {_table(file).upper()}_RULES)" for file in keys)
    links = ", ".join(dict.fromkeys(_link(key[0], file) for file, key in keys.items()))
    landing = ", ".join(_constant(file, context) for file in keys)
    return (
        f'"""What the pipeline knows of {context}: its files, its steps, its rulebooks and its ids."""\n\n'
        "from olist_pipeline.landing.table import LandingTable\n"
        "from olist_pipeline.validation.alone import step_alone\n"
        f"from olist_pipeline.validation.context import Context\nfrom olist_pipeline.validation.table import Link\n\n"
        f"from {context}.records import {records}\nfrom {context}.rules import {books}\n\n"
        f"{tables}\n\n{context.upper()} = Context(\n    {_text(context)},\n    landing=({landing},),\n"
        f"    steps=({steps},),\n"
        f"    rulebooks=({books},),\n"
        f'    links=({links},),  # Link("ride_id", cell="id") where the warehouse calls it so\n)\n'
    )


def _link(name: str, file: str) -> str:
    """Return the link of a file by its first column, which may be something else in another file."""
    return f"Link({_text(name)}{f', table={_text(_table(file))}' if name.lower() in ANYBODYS else ''})"


def _tests(context: str, drafts: Sequence[Draft]) -> str:
    tests = "\n\n\n".join(
        f"def test_{name}_is_decided() -> None:\n"
        + _docstring(f"{place}: write what it must say of a row, with rows on both sides of each limit.")
        + f"\n    raise AssertionError({_text('undecided: write its rule, then this test')})"
        for name, place in ((draft.name, draft.entry.finding.place) for draft in drafts)
    )
    head = f'"""The rules of {context}, on single rows: each test fails until somebody has decided."""\n'
    return f"{head}\n\n{tests}\n" if drafts else head


def _sources(context: str, columns: Mapping[str, Mapping[str, str]]) -> str:
    tables = "\n".join(
        f"      - name: {_table(file)}\n        config:\n          meta:\n"
        f"            dagster: {{asset_key: [{context}, {_table(file)}]}}"
        for file in columns
    )
    return (
        f"sources:\n  - name: staging_{context}\n    description: Accepted rows with their derived attributes.\n"
        f"    config:\n      meta:\n        external_location: >-\n"
        f"          read_parquet('{{{{ env_var('OLIST_HOME') }}}}/staging/{context}/{{name}}/*.parquet', "
        f"hive_partitioning = false)\n    tables:\n{tables}\n"
    )
