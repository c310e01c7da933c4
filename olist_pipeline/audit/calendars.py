"""Calendars: parts of dates, the names of months and days, and where a period ends.

What belongs here: what says how time is counted, which is nobody's decision. What does not: how a part of a date comes
into a column (`columns`), and what a CASE over it is (`cases`): the month in which a fiscal year begins is a decision,
and so is a holiday.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

from sqlglot import exp

from olist_pipeline.audit.expressions import (
    PREDICATES,
    TRUNCATIONS,
    Node,
    atoms,
    bare,
    column_names,
    is_constant,
    number_of,
    text_of,
)

DATE_PARTS = frozenset(
    (
        *("dow", "isodow", "dayofweek", "dayofweekiso", "dayofweek_iso", "weekday", "dayname", "day_name"),
        *("doy", "dayofyear", "day", "dayofmonth", "week", "weekofyear", "isoweek", "weekiso"),
        *("month", "monthname", "month_name", "quarter", "year", "isoyear", "yearofweek"),
    )
)
MONTHS_AND_DAYS = frozenset(
    (
        *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
        *("november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    )
)
WEEK_DAY_NAME = re.compile(r"(^|_)(day_?of_?week(_?iso)?|iso_?dow|dow|week_?day)(_|$)")
DATE_PART_NAME = re.compile(r"(^|_)(day_?of_?week|dow|isodow|weekday|day_?name|month_?name)(_|$)")
DATE_PART_NODES = (
    exp.Year,
    exp.Month,
    exp.Day,
    exp.Quarter,
    exp.Week,
    exp.WeekOfYear,
    exp.DayOfWeek,
    exp.DayOfWeekIso,
    exp.DayOfMonth,
    exp.DayOfYear,
    exp.Dayname,
    exp.Monthname,
)
ENDS = {
    ("week", "day"): (6, 7),
    ("isoweek", "day"): (6, 7),
    ("quarter", "month"): (2, 3),
    ("quarter", "day"): (1,),
    ("year", "month"): (11, 12),
    ("year", "day"): (364, 365),
}
"""By how many units one goes from the beginning of a period to its last one, or to the next period."""
QUARTERS = 4
NEW_YEAR, YEAR_END = (1, 1), (12, 31)


def is_date_part(node: Node) -> bool:
    """Return whether an expression is a part of a date, a day the smallest: no hour is a calendar's."""
    node = bare(node)
    while isinstance(node, exp.Trim | exp.Lower | exp.Upper | exp.Substring | exp.Left | exp.Coalesce):
        if isinstance(node, exp.Coalesce) and not all(map(is_constant, node.expressions)):
            return False
        node = bare(node.this)
    if isinstance(node, DATE_PART_NODES):
        return True
    if isinstance(node, exp.Extract):
        return node.this.name.lower() in DATE_PARTS
    if isinstance(node, exp.TimeToStr | exp.ToChar):
        pattern = node.args.get("format")
        return pattern is not None and not any(sign in pattern.name for sign in ("%H", "%M", "%S", "HH", "MI", "SS"))
    if isinstance(node, exp.Anonymous):
        words = [node.name.lower(), *(part.name.lower() for part in node.expressions[:1])]
        return words[0] in DATE_PARTS or (words[0] in ("date_part", "datepart") and words[-1] in DATE_PARTS)
    return False


def is_week_day(node: Node) -> bool:
    """Return whether an expression is the day of a week, a number, or a column that is called so."""
    node = bare(node)
    if isinstance(node, exp.DayOfWeek | exp.DayOfWeekIso):
        return True
    if isinstance(node, exp.Coalesce) and all(map(is_constant, node.expressions)):
        return is_week_day(node.this)
    return WEEK_DAY_NAME.search((node.this if isinstance(node, exp.Extract) else node).name.lower()) is not None


def names_a_month_or_day(node: Node) -> bool:
    """Return whether a comparison looks for months or days by their names: a calendar, whatever the column is."""
    node = bare(node)
    if not isinstance(node, exp.EQ | exp.In):
        return False
    values = node.expressions if isinstance(node, exp.In) else [node.expression]
    return bool(values) and all((text_of(value) or "").lower() in MONTHS_AND_DAYS for value in values)


def is_calendar_test(node: Node) -> bool:
    """Return whether a comparison looks at nothing but a part of a date."""
    node = bare(node)
    if isinstance(node, exp.Paren | exp.Not):
        return is_calendar_test(node.this)
    if names_a_month_or_day(node) or _marks_an_end(node):
        return True
    sides = [node.this] if isinstance(node, exp.In | exp.Between) else list(node.iter_expressions())
    reading = [side for side in sides if not is_constant(side)]
    return isinstance(node, PREDICATES) and bool(reading) and all(map(is_date_part, reading))


def _marks_an_end(node: Node) -> bool:
    """Return whether a day is compared with the first or the last one of its own period: `day = last_day(day)`."""
    if not isinstance(node, exp.EQ) or set(column_names(node.this)) != set(column_names(node.expression)):
        return False
    return any(isinstance(bare(side), (exp.LastDay, *TRUNCATIONS)) for side in node.iter_expressions())


def is_calendar(conditions: Sequence[Node]) -> bool:
    """Return whether comparisons that look at parts of dates only count time: they set no limit and name no holiday.

    Monday to Friday are below a limit, too, which is that of everybody.
    """
    return not any(map(_sets_a_limit, conditions)) and not _names_holidays(conditions)


def shifts_quarters(pairs: Sequence[tuple[Node, Node]]) -> bool:
    """Return whether months are given the number of another quarter than the calendar's: a fiscal year says so."""
    for condition, result in pairs:
        quarters = {(int(month) + 2) // 3 for month in _months(bare(condition)) if month}
        said = re.search(r"\d+", text_of(result) or str(int(number_of(result) or 0)))
        if len(quarters) == 1 and said and {int(said[0])} != quarters and 1 <= int(said[0]) <= QUARTERS:
            return True
    return False


def _months(condition: Node) -> list[float]:
    """Return the numbers of the months that a condition asks for."""
    if not isinstance(condition, exp.In | exp.EQ | exp.Between) or not _is(bare(condition.this), "month"):
        return []
    if isinstance(condition, exp.In):
        values = condition.expressions
    else:
        values = (
            [condition.expression] if isinstance(condition, exp.EQ) else [condition.args["low"], condition.args["high"]]
        )
    return [number_of(value) or 0 for value in values]


def ends_a_period(step: Node, number: float | None) -> bool:
    """Return whether a date is moved from the beginning of a period to its end: `date_trunc('week', d) + 6 days`."""
    moved = step.parent if isinstance(step, exp.Interval) else step
    outer = step.find_ancestor(*TRUNCATIONS, exp.Query)
    truncations = [outer] if isinstance(outer, TRUNCATIONS) else list(moved.find_all(*TRUNCATIONS) if moved else ())
    unit = step.text("unit").lower().rstrip("s")
    return any(number is not None and abs(number) in ENDS.get((_period(part), unit), ()) for part in truncations)


def _period(truncation: Node) -> str:
    unit = truncation.args.get("unit")
    return "week" if isinstance(unit, exp.WeekStart) else truncation.text("unit").lower().partition("(")[0]


def _sets_a_limit(condition: Node) -> bool:
    limits = [atom for atom in atoms(condition) if isinstance(atom, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Between)]
    return any(not is_week_day(side) for atom in limits for side in list(atom.iter_expressions())[:1])


def _names_holidays(conditions: Sequence[Node]) -> bool:
    """Return whether conditions name days of the year, other than the first and the last one."""
    return any(day not in (NEW_YEAR, YEAR_END) for condition in conditions for day in _days_of_year(condition))


def _days_of_year(condition: Node) -> Iterator[tuple[float, float]]:
    """Yield the months and days that a condition asks for together; zeros where they are no numbers."""
    tests = [atom for atom in atoms(condition) if isinstance(atom, exp.EQ)]
    if any(_writes_a_day(bare(test.this)) and text_of(test.expression) is not None for test in tests):
        yield 0, 0
    asked = {
        part: [number_of(t.expression) or 0 for t in tests if _is(bare(t.this), part)] for part in ("month", "day")
    }
    yield from product(asked["month"], asked["day"])


def _writes_a_day(node: Node) -> bool:
    """Return whether an expression writes a date without its year: `25 December`."""
    pattern = node.args.get("format") if isinstance(node, exp.TimeToStr | exp.ToChar) else None
    text = pattern.name if pattern is not None else ""
    has_month, has_day = re.search(r"%-?[Bbm]|MM|MON", text), re.search(r"%-?[de]|DD", text)
    return bool(has_month and has_day) and "Y" not in text.upper()


def _is(node: Node, part: str) -> bool:
    if isinstance(node, exp.Month | exp.Monthname):
        return part == "month"
    if isinstance(node, exp.Day | exp.DayOfMonth):
        return part == "day"
    name = (node.this if isinstance(node, exp.Extract) else node).name.lower()
    return name in (part, f"{part}_number", f"{part}_name", f"{part}_of_month", f"{part}_num", f"{part}ofmonth")
