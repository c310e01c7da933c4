"""Two columns: whether their cells are equal, and how far apart they are, as SQL says it of one pair of cells."""

import pytest

from olist_pipeline.tablediff.columns import Column
from olist_pipeline.tablediff.contract import EXACT, ContractError, Tolerance
from olist_pipeline.tablediff.pairs import Pair, tolerance_for
from tests.pipeline.tablediff.tables import batches, contract
from tests.pipeline.tablediff.test_cells import RETYPED, TOLERATED
from tests.pipeline.tablediff.test_report import LARGEST


def pair_of(con, old, new, tolerance=EXACT, *, number="", untyped=False):
    """Return the pair of the columns `a` and `b` (and a number); their types are given as a cast has them."""
    types = [row[1] for row in con.execute(f"DESCRIBE SELECT CAST(NULL AS {old}), CAST(NULL AS {new})").fetchall()]
    return Pair(Column(f"a{number}", types[0], untyped), Column(f"b{number}", types[1], untyped), tolerance)


def all_said(con, questions):
    """Return what expressions give, each over a pair of cells of its own: `a0` and `b0`, `a1` and `b1`, ..."""
    found = []
    for batch in batches(list(enumerate(questions))):
        cells = (
            f"CAST({value} AS {kind}) AS {name}{number}"
            for number, (_, *cells) in batch
            for name, (kind, value) in zip("ab", cells, strict=True)
        )
        expressions = ", ".join(expression for _, (expression, *_) in batch)
        [row] = con.execute(f"SELECT {expressions} FROM (SELECT {', '.join(cells)})").fetchall()
        found += row
    return found


def said(con, expression, old, new):
    """Return what an expression gives of the cells `a` and `b`, each a type and a value."""
    cells = ", ".join(f"CAST({value} AS {kind}) AS {name}" for name, (kind, value) in (("a", old), ("b", new)))
    [(value,)] = con.execute(f"SELECT {expression} FROM (SELECT {cells})").fetchall()
    return value


def equal(pair):
    (old, new), (old_measure, new_measure) = pair.forms(), pair.measures()
    return pair.equal((old, old_measure), (new, new_measure))


def either_way(con, cases):
    """Return of cases, each a cell, another one and a tolerance, whether they are equal, as pairs: there and back."""
    turned = [case for old, new, tolerance in cases for case in ((old, new, tolerance), (new, old, tolerance))]
    questions = [
        (equal(pair_of(con, old[0], new[0], tolerance, number=number)), old, new)
        for number, (old, new, tolerance) in enumerate(turned)
    ]
    found = all_said(con, questions)
    return list(zip(found[::2], found[1::2], strict=True))


def test_cells_of_two_types_are_equal_when_their_values_are(con):
    # Texts are read first, see `reading.py`.
    cases = [case for case in RETYPED if "VARCHAR" not in (case[0], case[2])]
    found = either_way(con, [(case[:2], case[2:4], EXACT) for case in cases])
    assert dict(zip(cases, found, strict=True)) == {case: (case[4], case[4]) for case in cases}
    assert pair_of(con, "INTEGER", "VARCHAR").retyped
    assert not pair_of(con, "INTEGER", "INTEGER").retyped


def test_cells_are_equal_within_a_tolerance_either_way(con):
    found = either_way(con, [((kind, old), (kind, new), within) for kind, within, old, new, _ in TOLERATED])
    assert dict(zip(TOLERATED, found, strict=True)) == {case: (case[4], case[4]) for case in TOLERATED}


@pytest.mark.parametrize(("kind", "bits"), [("DOUBLE", 52), ("FLOAT", 23)])
def test_a_bound_on_floats_is_widened_by_four_units_in_the_last_place(con, kind, bits):
    pair = pair_of(con, kind, kind, Tolerance(1))
    near, far = (f"1 + {units} * pow(2, -{bits})" for units in (4, 5))
    assert said(con, equal(pair), (kind, "0"), (kind, near)) is True
    assert said(con, equal(pair), (kind, "0"), (kind, far)) is False


TOLERATED_OVER_TYPES = [
    ("INTEGER", "10", "DECIMAL(9,2)", "10.01", Tolerance("0.01"), True),
    ("INTEGER", "10", "DECIMAL(9,2)", "10.02", Tolerance("0.01"), False),
    ("DECIMAL(38,30)", "0.5", "DECIMAL(38,0)", "1", Tolerance("0.5"), True),
    ("DECIMAL(38,30)", "0.4", "DECIMAL(38,0)", "1", Tolerance("0.5"), False),
    ("BIGINT", "9007199254740993", "DOUBLE", "9007199254740992", Tolerance(1), True),
    ("BIGINT", "10", "DOUBLE", "11.5", Tolerance(1), False),
    ("FLOAT", "10.01", "DOUBLE", "10", Tolerance("0.01"), True),
    ("UHUGEINT", "1", "HUGEINT", "2", Tolerance(1), True),
    ("UHUGEINT", "1", "HUGEINT", "3", Tolerance(1), False),
    ("UHUGEINT", "1", "UHUGEINT", "3", Tolerance(2**130), True),
    ("DECIMAL(20,2)", "123456789012345678.01", "DECIMAL(20,4)", "1234567890123456.01", Tolerance(0), False),
    ("DECIMAL(20,2)", "1234567890123456.01", "DECIMAL(20,4)", "1234567890123456.03", Tolerance("0.01"), False),
    ("DECIMAL(20,2)", "1234567890123456.01", "DECIMAL(20,4)", "1234567890123456.02", Tolerance("0.01"), True),
    (
        "DECIMAL(36,2)",
        "1234567890123456789.01",
        "DECIMAL(38,4)",
        "1234567890123456789.03",
        Tolerance("0.01"),
        False,
    ),
    ("VARCHAR", "'1.0000000000000000001'", "DECIMAL(38,19)", "1.0000000000000000003", Tolerance("1e-19"), False),
    ("VARCHAR", "'1234567890123456789.01'", "DECIMAL(30,2)", "1234567890123456789.03", Tolerance("0.01"), False),
    ("DATE", "'2018-01-01'", "TIMESTAMP", "'2018-01-01 00:00:01'", Tolerance(1), True),
    ("DATE", "'2018-01-01'", "TIMESTAMP", "'2018-01-01 00:00:01.5'", Tolerance(1), False),
    ("TIME", "'10:00:00'", "TIME_NS", "'10:00:00.000000001'", Tolerance("1e-9"), True),
    ("TIME", "'10:00:00'", "TIME_NS", "'10:00:00.000000002'", Tolerance("1e-9"), False),
    ("VARCHAR", "'9.99'", "DECIMAL(9,2)", "10", Tolerance("0.01"), True),
    ("VARCHAR", "'9.98'", "DECIMAL(9,2)", "10", Tolerance("0.01"), False),
    ("VARCHAR", "'n/a'", "DECIMAL(9,2)", "10", Tolerance("0.01"), False),
    ("VARCHAR", "'9.99'", "DOUBLE", "10", Tolerance("0.01"), True),
    ("VARCHAR", "'9.9'", "DOUBLE", "10", Tolerance("0.01"), False),
    ("VARCHAR", "'9.5'", "DECIMAL(38,30)", "1", Tolerance(9), True),
    ("VARCHAR", "'10:00:00'", "TIME", "'10:00:01'", Tolerance(1), True),
    ("VARCHAR", "'10:00:00'", "TIME", "'10:00:02'", Tolerance(1), False),
    ("VARCHAR", "'2018-01-01'", "DATE", "'2018-01-02'", Tolerance(86400), True),
    ("VARCHAR", "'2018-01-01'", "DATE", "'2018-01-02'", Tolerance(86399), False),
    ("VARCHAR", "'2018-01-01 00:00:00+00'", "TIMESTAMPTZ", "'2018-01-01 01:00:01+01'", Tolerance(1), True),
]


def test_a_tolerance_reaches_over_two_types(con):
    found = either_way(con, [(case[:2], case[2:4], case[4]) for case in TOLERATED_OVER_TYPES])
    assert dict(zip(TOLERATED_OVER_TYPES, found, strict=True)) == {
        case: (case[5], case[5]) for case in TOLERATED_OVER_TYPES
    }


@pytest.mark.parametrize(
    ("old", "new", "within"), [("'0.1'", "'0.2'", True), ("'0.1'", "'0.21'", False), ("'n/a'", "'n/b'", False)]
)
def test_text_without_a_type_is_measured_as_a_decimal(con, old, new, within):
    pair = pair_of(con, "VARCHAR", "VARCHAR", Tolerance("0.1"), untyped=True)
    assert pair.unit == ""
    assert pair_of(con, "VARCHAR", "DATE", Tolerance(1), untyped=True).unit == "seconds"
    assert said(con, equal(pair), ("VARCHAR", old), ("VARCHAR", new)) is within


def test_a_difference_has_a_size_and_a_unit(con):
    cases = [turned for case in LARGEST for turned in (case, (case[0], case[2], case[1], *case[3:]))]
    pairs = [pair_of(con, case[0], case[0], number=number) for number, case in enumerate(cases)]
    assert [pair.unit for pair in pairs] == [unit for *_, unit in cases]
    questions = [
        (pair.difference(*pair.measures()), (kind, old), (kind, new))
        for pair, (kind, old, new, _, _) in zip(pairs, cases, strict=True)
    ]
    assert all_said(con, questions) == [largest for *_, largest, _ in cases]


@pytest.mark.parametrize(
    ("old", "new", "unit"),
    [
        ("INTEGER", "DOUBLE", ""),
        ("BIGNUM", "INTEGER", ""),
        ("BOOLEAN", "BOOLEAN", None),
        ("BOOLEAN", "INTEGER", ""),
        ("BOOLEAN", "VARCHAR", None),
        ("INTEGER", "VARCHAR", ""),
        ("VARCHAR", "VARCHAR", None),
        ("DATE", "TIMESTAMP", "seconds"),
        ("TIME", "TIME_NS", "seconds"),
        ("TIME", "VARCHAR", "seconds"),
        ("DATE", "TIME", None),
        ("DATE", "INTEGER", None),
        ("UUID", "VARCHAR", None),
        ("INTEGER[]", "INTEGER[]", None),
    ],
)
def test_differences_have_a_unit_where_both_sides_have_one(con, old, new, unit):
    assert pair_of(con, old, new).unit == pair_of(con, new, old).unit == unit
    if unit is None:
        with pytest.raises(ContractError, match="has no differences to measure"):
            pair_of(con, old, new, Tolerance(1))
    if unit == "seconds":
        with pytest.raises(ContractError, match="cannot have a relative tolerance"):
            pair_of(con, old, new, Tolerance(1, relative="0.1"))


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("VARCHAR", "DECIMAL(9,2)", "DECIMAL(9,2)"),
        ("VARCHAR", "DATE", "DATE"),
        ("VARCHAR", "VARCHAR", None),
        ("VARCHAR", "INTEGER[]", None),
        ("DATE", "DATE", None),
    ],
)
def test_a_text_that_is_no_value_differs_from_one_that_is(con, old, new, kind):
    unread = pair_of(con, old, new).unread(0)
    assert pair_of(con, new, old).unread(1) == (unread and (unread[0].replace('"a"', '"b"'), unread[1]))
    assert (unread and unread[1]) == kind
    if unread is not None:
        values = {"'n/a'": True, "NULL": False, "'2018-01-01'" if kind == "DATE" else "'1.5'": False}
        assert {value: said(con, unread[0], (old, value), (new, "NULL")) for value in values} == values
    assert pair_of(con, old, new).unread(1) is None or new == "VARCHAR"


def test_a_tolerance_makes_an_untyped_text_a_decimal(con):
    unread = pair_of(con, "VARCHAR", "VARCHAR", Tolerance(1), untyped=True).unread(0)
    assert unread is not None
    assert unread[1] == "decimal"
    assert said(con, unread[0], ("VARCHAR", "'n/a'"), ("VARCHAR", "NULL")) is True
    assert pair_of(con, "VARCHAR", "VARCHAR", untyped=True).unread(0) is None


@pytest.mark.parametrize(
    ("old", "new", "untyped", "tolerance"),
    [
        ("DOUBLE", "DOUBLE", False, "double"),
        ("FLOAT", "FLOAT", False, "float"),
        ("FLOAT", "DOUBLE", False, "double"),
        ("FLOAT", "DECIMAL(9,2)", False, "float"),
        ("DECIMAL(9,2)", "DOUBLE", False, "double"),
        ("DOUBLE", "BIGINT", False, "exact"),
        ("DOUBLE", "VARCHAR", False, "exact"),
        ("DOUBLE", "VARCHAR", True, "double"),
        ("DECIMAL(9,2)", "DECIMAL(9,4)", False, "decimal"),
        ("DECIMAL(9,2)", "VARCHAR", True, "exact"),
        ("INTEGER", "INTEGER", False, "exact"),
    ],
)
def test_a_type_brings_its_tolerance(old, new, untyped, tolerance):
    named = {"exact": EXACT, "double": Tolerance(1), "float": Tolerance(2), "decimal": Tolerance(3)}
    rules = contract(type_tolerances={kind.upper(): named[kind] for kind in ("double", "float", "decimal")})
    sides = [Column("v", old), Column("v", new, untyped=untyped)]
    assert tolerance_for(rules, *sides) == tolerance_for(rules, *reversed(sides)) == named[tolerance]


def test_a_tolerance_of_its_own_comes_first():
    rules = contract(tolerances={"V": Tolerance(9)})
    assert tolerance_for(rules, Column("v", "DOUBLE"), Column("v", "BIGINT")) == Tolerance(9)


@pytest.mark.parametrize("kind", ["INTEGER", "DECIMAL(38,2)", "VARCHAR", "DOUBLE", "DATE", "JSON", "INTEGER[]", "UUID"])
def test_equal_cells_have_equal_hashes_and_null_has_none_of_them(con, kind):
    pair = pair_of(con, kind, kind)
    values = {
        "VARCHAR": "'a long enough text'",
        "JSON": "'{}'",
        "INTEGER[]": "[1]",
        "DATE": "'2018-01-01'",
        "UUID": "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
    }
    value = values.get(kind, "7")
    old, new = (f"hash({', '.join(arguments)})" for arguments in pair.hash_arguments())
    assert said(con, f"{old} = {new}", (kind, value), (kind, value)) is True
    assert said(con, f"{old} = {new}", (kind, value), (kind, "NULL")) is False


@pytest.mark.parametrize(
    ("old", "new"), [("INTEGER", "BIGINT"), ("DECIMAL(9,2)", "HUGEINT"), ("FLOAT", "DOUBLE"), ("VARCHAR", "INTEGER")]
)
def test_equal_cells_of_two_types_have_equal_hashes(con, old, new):
    pair = pair_of(con, old, new)
    hashes = [f"hash({', '.join(arguments)})" for arguments in pair.hash_arguments()]
    assert said(con, " = ".join(hashes), (old, "7"), (new, "7")) is True
    assert said(con, " = ".join(hashes), (old, "7"), (new, "8")) is False
    if old == "VARCHAR":
        assert said(con, " = ".join(hashes), (old, "'n/a'"), (new, "8")) is False


@pytest.mark.parametrize("kind", ["INTEGER[]", "STRUCT(a INTEGER)", "BLOB"])
def test_nested_keys_are_paired_by_bytes(con, kind):
    pair = pair_of(con, kind, kind)
    old, new = pair.key_forms()
    assert (old, new) != pair.forms()
    value = {"INTEGER[]": "[NULL]", "BLOB": "''::BLOB"}.get(kind, "{'a': NULL}")
    assert said(con, f"{old} = {new}", (kind, value), (kind, value)) is True
    assert said(con, f"{old} IS NULL", (kind, "NULL"), (kind, value)) is True
    assert pair_of(con, "INTEGER", "INTEGER").key_forms() == pair_of(con, "INTEGER", "INTEGER").forms()
