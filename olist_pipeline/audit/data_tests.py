"""Rules that stand in tests of a dbt project: data tests and constraints of properties, singular tests and unit tests.

What belongs here: which tests say a rule of the business, and findings of them. What does not: the SQL of models
(`findings`), and comparing tests with models (`audit` drops what a model says, too).

Structural tests are no rules: not_null, unique, relationships and their like, unless they hold for some rows only
(`where`). Of singular tests, conditions that only ask for nulls or for copies of a key are left out, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from olist_pipeline import yaml_text
from olist_pipeline.audit.columns import Query
from olist_pipeline.audit.expressions import Node, column_names
from olist_pipeline.audit.metrics import measure
from olist_pipeline.audit.model import Clause, FileAudit, Finding, Kind
from olist_pipeline.audit.model_settings import enabled_in, is_off
from olist_pipeline.audit.normal import shape_of
from olist_pipeline.audit.relations import unversioned
from olist_pipeline.audit.words import phrase

STRUCTURAL = frozenset(
    (
        *("not_null", "unique", "relationships", "unique_combination_of_columns", "unique_combination", "equality"),
        *("equal_rowcount", "fewer_rows_than", "at_least_one", "not_constant", "cardinality_equality", "recency"),
        *("not_empty_string", "expect_table_row_count_to_equal_other_table", "expect_column_to_exist"),
        *("expect_column_values_to_not_be_null", "expect_column_values_to_be_unique", "not_null_where"),
        *("mutually_exclusive_ranges",),
        *("expect_compound_columns_to_be_unique", "expect_column_values_to_be_of_type", "sequential_values"),
        *("expect_column_values_to_be_in_type_list", "expect_table_columns_to_match_set", "primary_key", "foreign_key"),
        *("expect_table_columns_to_match_ordered_list", "expect_table_column_count_to_equal", "unique_key"),
        *("expect_row_values_to_have_recent_data", "unique_where", "expect_table_columns_to_contain_set"),
    )
)  # fmt: skip
"""Tests of keys, presence, shape and freshness: they say what a table is, not what the business decided."""

MONITORING = ("elementary", "re_data", "dbt_artifacts")
LISTS = ("models", "seeds", "snapshots")
KEYS = ("data_tests", "tests")
CHECK = "check"
UNIT = "unit test"
NO_ARGUMENTS = frozenset(
    (
        *("arguments", "config", "enabled", "where", "row_condition", "name", "test_name", "description"),
        *("severity", "tags", "error_if", "warn_if"),
    )
)

COPIES = re.compile(
    r"(count\((\*|1|[\w.\"`]+)\)|(n(um|umber_of)?_?)?(rows|records|copies|occurrences|dup\w*)|((row|record|dup\w*)_)?(count|cnt)|n|c)"
    r" (> 1|>= 2|<> 1)",
    re.IGNORECASE,
)
"""How a count of rows of one key is compared, by its function or by its name."""

Plain = Callable[[str], str]
"""A text without its Jinja."""


@dataclass(frozen=True)
class DataTest:
    """One test of a model or of one of its columns ('' where it is of the model), with its arguments.

    where: which rows it looks at, '' for all. enabled: what it and a version of its model say of being switched on.
    """

    model: str
    column: str
    name: str
    arguments: Mapping[str, Any]
    where: str
    line: int
    enabled: tuple[str, ...] = ()


def audit_properties(root: yaml.Node | None, file: str, dialect: str, plain: Plain) -> FileAudit:
    """Return the rules in the tests of a properties file."""
    found = [item for test in _tests_of(root) if (item := _finding(test, file, dialect, plain)) is not None]
    return FileAudit(file, (*found, *_unit_tests(root, file, plain)))


def only_checks(audited: FileAudit) -> FileAudit:
    """Return what a singular test says as rules that rows must keep."""
    found = (finding for finding in audited.findings if not (_asks_for_nulls(finding) or _asks_for_copies(finding)))
    rules = [replace(finding, kind=Kind.VALIDATION) for finding in found]
    return replace(audited, findings=tuple(rules))


def without_what_models_say(findings: list[Finding]) -> list[Finding]:
    """Return findings without the tests whose rule stands in their model, too."""
    of_models = [
        (name, finding)
        for finding in findings
        if finding.clause is not Clause.TEST
        for name in (unversioned(finding.model), finding.model)
    ]
    said = {(name, finding.column.lower()): finding for name, finding in of_models}
    forms = {(name, finding.shape.normal) for name, finding in of_models}

    def is_said(test: Finding) -> bool:
        if (test.model, test.shape.normal) in forms:
            return True
        if test.shape.normal.startswith(UNIT):
            return any((test.model, name) in said for name in test.inputs)
        same = said.get((test.model, test.column.lower()))
        if same is None or same.clause is not Clause.SELECT:
            return False
        # The model decides a flag, or names what there is; the test asks for no more than that.
        labels = same.shape.labels
        is_named = bool(labels) and all(f"'{label}'" in test.sql for label in labels)
        return is_named or same.kind in (Kind.FLAG, Kind.VALIDATION)

    return [finding for finding in findings if finding.clause is not Clause.TEST or not is_said(finding)]


def _asks_for_nulls(finding: Finding) -> bool:
    return finding.shape.normal.startswith(("is(", "not(is(")) and " " not in finding.shape.normal.replace(", ", "")


def _asks_for_copies(finding: Finding) -> bool:
    """Return whether a singular test asks for what `unique` does: keys that stand in more than one row."""
    return finding.clause is not Clause.SELECT and COPIES.fullmatch(finding.sql) is not None


def _tests_of(root: yaml.Node | None) -> Iterator[DataTest]:
    top = entries_of(root)
    for key in LISTS:
        for entry in items_of(top.get(key)):
            yield from _tests_of_relation(entry)
    for source in items_of(top.get("sources")):
        for table in items_of(entries_of(source).get("tables")):
            yield from _tests_of_relation(table)


def _tests_of_relation(entry: yaml.Node) -> Iterator[DataTest]:
    values = entries_of(entry)
    model = text_of_node(values.get("name"))
    for part in (values, *map(entries_of, items_of(values.get("versions")))):
        of_version = () if part is values else (text_of_node(entries_of(part.get("config")).get("enabled")),)
        for own in (part, *map(entries_of, items_of(part.get("columns")))):
            column = "" if own is part else text_of_node(own.get("name"))
            for node in (node for key in KEYS for node in items_of(own.get(key))):
                yield from (replace(test, enabled=test.enabled + of_version) for test in _test(node, model, column))
            for check in _constraints(own.get("constraints"), model, column):
                yield replace(check, enabled=of_version)


def _constraints(node: yaml.Node | None, model: str, column: str) -> Iterator[DataTest]:
    """Yield the constraints that check an expression; the other ones are keys and presence."""
    for item in items_of(node):
        said = _mapping(yaml_text.value_of(item))
        if said.get("type") == CHECK and (expression := said.get("expression")):
            yield DataTest(model, column, CHECK, {"expression": str(expression)}, "", item.start_mark.line + 1)


def _test(node: yaml.Node, model: str, column: str) -> Iterator[DataTest]:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        yield DataTest(model, column, node.value, {}, "", line)
        return
    values = _mapping(yaml_text.value_of(node))
    name = next(iter(values), None)
    if "test_name" in values:
        name, given = str(values["test_name"]), values
    elif isinstance(name, str):
        given = _mapping(values[name])
    else:
        return
    config = {**_mapping(values.get("config")), **_mapping(given.get("config")), **given}
    own = {**given, **_mapping(given.get("arguments"))}
    where = str(config.get("where") or own.get("row_condition") or "")
    arguments = {str(key): value for key, value in own.items() if key not in NO_ARGUMENTS}
    own_column = str(arguments.pop("column_name", column))
    yield DataTest(model, own_column, name, arguments, where, line, (str(config.get("enabled", "")),))


def _finding(test: DataTest, file: str, dialect: str, plain: Plain) -> Finding | None:
    package, _, name = test.name.rpartition(".")
    if package in MONITORING or (name in STRUCTURAL and not test.where):
        return None
    if any(is_off(plain(said)) for said in test.enabled):
        return None
    rule = _parsed(plain(_rule(test, name)), dialect) or exp.Anonymous(this=name, expressions=[exp.column(test.column)])
    if test.where:
        limit = _parsed(plain(test.where), dialect)
        rule = exp.Or(this=exp.Not(this=exp.Paren(this=limit)), expression=exp.Paren(this=rule)) if limit else rule
    column = test.column or next(iter(column_names(rule)), name)
    return Finding(
        file=file,
        line=test.line,
        model=test.model,
        clause=Clause.TEST,
        column=column,
        kind=Kind.VALIDATION,
        sql=rule.sql(dialect=dialect),
        statement=f"The test {name} of {test.model} holds: {phrase(rule)}.",
        inputs=column_names(rule),
        cases=0,
        metrics=measure([rule]),
        shape=shape_of([rule], column, Query(exp.Select(), None)),
    )


def _rule(test: DataTest, name: str) -> str:
    """Return what a test asks of a row, as SQL; a test that nobody knows is a call with its arguments."""
    column, given = test.column, test.arguments
    values = given.get("values") or given.get("value_set")
    if isinstance(values, list):
        quoted = given.get("quote", given.get("quote_values", True)) is not False
        texts = [_literal(value) if quoted else str(value) for value in values]
        is_refused = name.startswith("not_") or "not_be_in" in name
        return f"{column} {'not in' if is_refused else 'in'} ({', '.join(texts)})"
    least, most = (given.get(key) for key in ("min_value", "max_value"))
    if column and (least is not None or most is not None):
        is_open = given.get("inclusive") is False or given.get("strictly") is True
        limits = [
            f"{column} {sign}{'' if is_open else '='} {limit}"
            for sign, limit in ((">", least), ("<", most))
            if limit is not None
        ]
        subject = "" if "column_values" in name or name in ("accepted_range", "within") else f"{name}: "
        return f"{name}({', '.join(limits)})" if subject else " and ".join(limits)
    if isinstance(expression := given.get("expression"), str):
        return f"{column} {expression}" if column and column not in expression else expression
    if isinstance(regex := given.get("regex") or given.get("pattern"), str):
        return f"regexp_like({column}, {_literal(regex)})"
    pair = given.get("column_A"), given.get("column_B")
    if all(pair) and "greater_than" in name:
        return f"{pair[0]} >{'=' if given.get('or_equal') else ''} {pair[1]}"
    others = [
        _literal(value)
        for part in given.values()
        for value in (part if isinstance(part, list) else [part])
        if isinstance(value, str | int | float)
    ]
    return f"{name}({', '.join(part for part in (column, *others) if part)})"


def _literal(value: object) -> str:
    """Return a value as SQL writes it."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _parsed(text: str, dialect: str) -> Node | None:
    try:
        tree = parse_one(f"select {text}", read=dialect)
    except (SqlglotError, ValueError, AttributeError, TypeError, RecursionError):
        return None
    return tree.selects[0].unalias() if isinstance(tree, exp.Select) and tree.selects else None


def _unit_tests(root: yaml.Node | None, file: str, plain: Plain) -> Iterator[Finding]:
    """Yield what unit tests expect: a rule where nothing in their model says it."""
    for entry in items_of(entries_of(root).get("unit_tests")):
        values = _mapping(yaml_text.value_of(entry))
        rows = _mapping(values.get("expect")).get("rows")
        first = rows[0] if isinstance(rows, list) and rows else {}
        columns = tuple(str(name).lower() for name in _mapping(first))
        if not columns or is_off(plain(str(enabled_in(_mapping(values.get("config")))))):
            continue
        rule = exp.Anonymous(this=str(values.get("name")), expressions=[exp.column(name) for name in columns])
        model, column = str(values.get("model")), columns[-1]
        sentence = f"The unit test {values.get('name')} of {model} says by example what {', '.join(columns)} are."
        shape = replace(shape_of([rule], column, Query(exp.Select(), None)), normal=f"{UNIT} {values.get('name')}")
        line = entry.start_mark.line + 1
        yield Finding(file, line, model, Clause.TEST, column, Kind.VALIDATION, rule.sql(), sentence, columns, 0,
                      measure([rule]), shape)  # fmt: skip


def entries_of(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """Return the entries of a mapping of YAML by their keys; none of what is no mapping."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def items_of(node: yaml.Node | None) -> list[yaml.Node]:
    """Return the items of a list of YAML; none of what is no list."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def text_of_node(node: yaml.Node | None) -> str:
    """Return the text of a plain value of YAML; '' of what is none."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
