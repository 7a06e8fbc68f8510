"""Dates in any usual form."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.document.dates import day_of, days, parse_date

DATES = st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31))
MONTHS = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip

DAY_FIRST = [
    "{d} {month} {y}",
    "{d:02}-{mon}-{y}",
    "{d}. {month} {y}",
    "{d} of {month}, {y}",
    "{month} {d}, {y}",
    "{mon} {d} {y}",
    "{y}-{m:02}-{d:02}",
    "{y}/{m:02}/{d:02}",
    "{d:02}/{m:02}/{y}",
    "{d}.{m}.{y}",
    "{d:02} . {m:02} . {y}",
    "{d:02}.{m:02}.{yy:02}",
]


def in_form(day: date, form: str) -> str:
    month = MONTHS[day.month - 1]
    return form.format(y=day.year, yy=day.year % 100, m=day.month, d=day.day, month=month, mon=month[:3])


@given(DATES, st.sampled_from(DAY_FIRST))
def test_every_usual_form_is_read(day, form):
    assert parse_date(in_form(day, form)) == day


@given(DATES, st.sampled_from(DAY_FIRST))
def test_a_date_is_found_within_a_sentence(day, form):
    text = f"Payable by {in_form(day, form)} at the latest."
    (found,) = days(text, month_first=False)
    assert found.value == day
    assert text[found.start : found.end] == in_form(day, form)


@given(DATES)
def test_dollars_read_months_first(day):
    (found,) = days(in_form(day, "{m}/{d}/{y}"), month_first=True)
    assert found.value == day


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text):
    days(text, month_first=True)
    parse_date(text)
    day_of(text)


def test_one_clear_date_decides_the_order_of_all():
    found = days("Issued 03/04/2025, due 03/25/2025", month_first=False)
    assert [day.value for day in found] == [date(2025, 3, 4), date(2025, 3, 25)]


def test_dates_with_dots_are_day_first_even_with_dollars():
    (found,) = days("04.03.2025", month_first=True)
    assert found.value == date(2025, 3, 4)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("l4 March 2O25", date(2025, 3, 14)),
        ("14 Ju1y 2025", date(2025, 7, 14)),
        ("0ctober 3, 2025", date(2025, 10, 3)),
        ("March the 4th, 2025", date(2025, 3, 4)),
        ("4th day of March, 2025", date(2025, 3, 4)),
        ("1st Sept 2025", date(2025, 9, 1)),
    ],
)
def test_scanned_and_formal_dates(text, day):
    assert parse_date(text) == day


def test_a_day_that_does_not_exist_is_found_but_has_no_value():
    (found,) = days("31/02/2025", month_first=False)
    assert found.value is None


@pytest.mark.parametrize("text", ["1.2.3", "192.168.10.25", "03-40-21-02", "12 apples 2025", "1234.56", ""])
def test_other_numbers_are_no_dates(text):
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "day"), [("2025-03-04", date(2025, 3, 4)), ("2025-02-30", None), (None, None), ("x", None)]
)
def test_dates_of_the_state(text, day):
    assert day_of(text) == day
