"""Units of work: every row is in one of them, none is much larger than wanted, and they can be sent elsewhere."""

import pickle
import threading
from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from olist_pipeline.months import MonthRange
from olist_pipeline.registry import STEPS
from olist_pipeline.validation.units import Unit, ahead, run_locally, units_of, units_of_all
from olist_pipeline.validation.work import ValidationWork

MONTHS = list(MonthRange(date(2017, 1, 1), date(2017, 12, 1)))


@given(
    rows=st.dictionaries(st.sampled_from(MONTHS), st.integers(0, 500)),
    limit=st.integers(1, 300),
    cut=st.none() | st.just("order_id"),
    at_a_time=st.integers(1, 5),
)
def test_every_row_is_in_one_unit_of_about_the_wanted_size(rows, limit, cut, at_a_time):
    units = units_of(MONTHS, rows, cut, limit, at_a_time)
    assert sorted((month, unit.number) for unit in units for month in unit.months or ()) == sorted(
        {(month, number) for unit in units for month in unit.months or () for number in range(unit.parts)}
    )
    assert {month for unit in units for month in unit.months or ()} == set(MONTHS)
    for unit in units:
        held = sum(rows.get(month, 0) for month in unit.months or ()) / unit.parts
        assert held <= limit or (cut is None and len(unit.months or ()) == 1)


@given(
    rows=st.dictionaries(st.sampled_from(MONTHS), st.integers(0, 500)),
    limit=st.integers(1, 300),
    at_a_time=st.integers(2, 9),
)
def test_units_that_are_worked_on_side_by_side_are_smaller_and_have_the_same_parts(rows, limit, at_a_time):
    alone, beside = (units_of(MONTHS, rows, "order_id", limit, one) for one in (1, at_a_time))
    assert {(month, unit.part) for unit in alone for month in unit.months or ()} == {
        (month, unit.part) for unit in beside for month in unit.months or ()
    }
    for unit in beside:
        several = unit.months or () if len(unit.months or ()) > 1 else ()
        assert sum(rows.get(month, 0) for month in several) * at_a_time <= sum(rows.values())


@given(ids=st.lists(st.none() | st.text(max_size=5), max_size=50), parts=st.integers(1, 6))
def test_rows_of_one_value_are_in_one_part(ids, parts):
    rows = pl.DataFrame({"order_id": ids, "n": range(len(ids))}, schema={"order_id": pl.String, "n": pl.Int64})
    cut = [Unit((MONTHS[0],), "order_id", number, parts).part_of(rows.lazy()).collect() for number in range(parts)]
    assert sorted(number for part in cut for number in part["n"]) == list(range(len(ids)))
    assert sum(part["order_id"].n_unique() for part in cut) == rows["order_id"].n_unique()


def test_a_step_without_months_is_one_unit_or_parts_by_its_cut():
    assert units_of_all(9, None, 1) == [Unit(None)]
    for rows, parts in ((0, 1), (4, 1), (5, 2), (9, 3)):
        assert units_of_all(rows, "id", 4) == [Unit(None, "id", number, parts) for number in range(parts)]
    assert [unit.name for unit in units_of_all(5, "id", 4)] == ["all rows.1of2", "all rows.2of2"]
    assert units_of([], {}, None, 1) == []


def test_work_and_units_can_be_sent_to_another_machine(tmp_path):
    for step in STEPS:
        work = ValidationWork(step, tmp_path, tmp_path, tmp_path, date(2018, 1, 1), frozenset([b"known"]), "code")
        sent, unit = pickle.loads(pickle.dumps((work, Unit((MONTHS[0],), step.cut, 1, 2))))
        assert sent.step.validate == step.validate
        assert unit == Unit((MONTHS[0],), step.cut, 1, 2)


def test_units_are_worked_through_one_after_the_other():
    done: list[int] = []

    def work(unit: Unit) -> int:
        done.append(unit.number)
        return len(done)

    reports = run_locally([Unit(None), Unit(None, number=1)], work)
    assert next(reports) == 1
    assert done == [0]
    assert next(reports) == 2


def test_the_next_unit_is_worked_through_while_somebody_deals_with_the_one_before():
    begun = [threading.Event() for _ in range(3)]

    def work(unit: Unit) -> int:
        begun[unit.number].set()
        return unit.number

    reports = ahead(run_locally([Unit(None, number=number) for number in range(3)], work))
    assert next(reports) == 0
    assert begun[1].wait(30)
    assert not begun[2].is_set()
    assert list(reports) == [1, 2]
