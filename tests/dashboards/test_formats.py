"""Numbers, dates and words as a person reads them, in one locale."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.money(1234.56), "R$ 1,234.56"),
        (formats.money(-1234.5), "-R$ 1,234.50"),
        (formats.money(0), "R$ 0.00"),
        (formats.money(-0.001), "R$ 0.00"),
        (formats.percent(-0.0001), "0.0%"),
        (formats.count(-0.4), "0"),
        (formats.money_short(15735527.03), "R$ 15.7M"),
        (formats.money_short(2_500_000_000), "R$ 2.5B"),
        (formats.money_short(51354.52), "R$ 51,355"),
        (formats.money_short(139.8), "R$ 139.80"),
        (formats.money_whole(1234.56), "R$ 1,235"),
        (formats.count(99441), "99,441"),
        (formats.decimal(1234.567), "1,234.6"),
        (formats.decimal_fine(4.2), "4.20"),
        (formats.counted(1, "item"), "1 item"),
        (formats.counted(1234, "item"), "1,234 items"),
        (formats.counted(0, "item"), "0 items"),
        (formats.percent(0.0712), "7.1%"),
        (formats.percent_whole(0.3), "30%"),
        (formats.day(date(2018, 10, 7)), "7 Oct 2018"),
        (formats.month(date(2018, 1, 1)), "Jan 2018"),
        (formats.moment(datetime(2018, 1, 2, 3, 4, tzinfo=UTC)), "2 Jan 2018 03:04"),
        (formats.sentence("SLIGHTLY_LATE: up to 7 days; VIP: 1000 BRL"), "Slightly late: up to 7 days; VIP: 1000 BRL"),
        (formats.words("credit_card"), "Credit card"),
        (formats.words("ONE_TIME"), "One time"),
        (formats.words("VIP"), "VIP"),
        (formats.words(None), "Unknown"),
        (formats.city("rio de janeiro"), "Rio de Janeiro"),
        (formats.city(None), "Unknown"),
    ],
)
def test_is_written_in_one_locale(text, expected):
    assert text == expected


@pytest.mark.parametrize("form", [formats.money, formats.money_short, formats.count, formats.decimal, formats.percent])
def test_nothing_is_a_dash(form):
    assert form(None) == formats.NONE


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_an_amount_can_be_read_back_exactly(amount):
    text = formats.money(float(amount))
    assert re.fullmatch(r"-?R\$ \d{1,3}(,\d{3})*\.\d\d", text)
    assert float(text.replace("R$ ", "").replace(",", "")) == pytest.approx(float(amount), abs=0.0051)
