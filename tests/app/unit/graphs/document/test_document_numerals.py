"""Numbers and money, written in any way and scanned badly."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphs.document.numerals import (
    Style,
    currencies,
    exact,
    numerals,
    parse_number,
    style_of,
    unconfuse,
    written,
)

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=2)
STYLES = st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ",")])
LOOKALIKES = {"0": "O", "1": "l", "5": "S", "8": "B"}


def formatted(value: Decimal, group: str, point: str) -> str:
    return f"{value:,.2f}".replace(",", "\0").replace(".", point).replace("\0", group)


def values(text: str) -> list[Decimal]:
    plain = unconfuse(text)
    return [numeral.value for numeral in numerals(plain, style_of(plain))]


@given(AMOUNTS, STYLES)
def test_every_way_to_write_an_amount_is_read_exactly(value, style):
    assert parse_number(formatted(value, *style)) == value


@given(AMOUNTS, STYLES, st.sampled_from(["$", "€", "£", "USD ", "EUR ", "GBP "]))
def test_a_currency_before_or_after_changes_nothing(value, style, mark):
    text = formatted(value, *style)
    assert parse_number(mark + text) == value
    assert parse_number(f"{text} {mark.strip()}") == value


@given(AMOUNTS, STYLES, st.data())
def test_fewer_than_half_of_the_digits_may_be_read_as_letters(value, style, data):
    text = formatted(value, *style)
    places = [index for index, char in enumerate(text) if char in LOOKALIKES]
    most = (sum(char.isdigit() for char in text) - 1) // 2
    chosen = data.draw(st.sets(st.sampled_from(places), max_size=most)) if places else set()
    # A group of a number that is parted by spaces stands alone, and is judged alone.
    assume(style[0] != " " or not chosen)
    scanned = "".join(LOOKALIKES[char] if index in chosen else char for index, char in enumerate(text))
    assert parse_number(scanned) == value


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text):
    parse_number(text)
    assert len(unconfuse(text)) == len(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6))
def test_what_is_written_to_the_state_is_read_back_exactly(value):
    text = written(value)
    assert exact(text) == value
    assert "E" not in text
    assert text.lstrip("-")[0].isdigit()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234", "1234"),
        ("1.234", "1234"),
        ("12.5", "12.5"),
        ("-12.00", "-12"),
        ("(12.00)", "-12"),
        ("12.00-", "-12"),
        ("1, 234.50", "1234.50"),
        ("1,234 .50", "1234.50"),
        ("U$ 5", None),
        ("twelve", None),
        ("12.00 and 13.00", None),
        ("", None),
    ],
)
def test_single_numbers(text, value):
    assert parse_number(text) == (None if value is None else Decimal(value))


def test_the_style_of_a_document_decides_what_is_ambiguous():
    assert values("1.500 pieces at 2,50 make 3.750,00") == [
        Decimal(1500),
        Decimal("2.50"),
        Decimal("3750.00"),
    ]
    assert values("1.500 kg at 2.50 make 3.75") == [Decimal("1.500"), Decimal("2.50"), Decimal("3.75")]


def test_a_space_groups_thousands_only_where_the_document_does_so():
    assert style_of("1 234,50") == Style(",", " '")
    assert values("1,234.50 and 2 150.00") == [Decimal("1234.50"), Decimal(2), Decimal("150.00")]


@pytest.mark.parametrize(
    "text",
    ["INV-2024-001", "14:02", "room 60x50", "A4-12", "no.7/2024", "#4711", "v1.2.3.4", "12th"],
)
def test_codes_times_and_sizes_are_no_numbers(text):
    assert [value for value in values(text) if value not in (60, 50)] == []


def test_a_dash_before_an_amount_is_no_minus():
    assert values("Design - $1,400.00") == [Decimal(1400)]


def test_amounts_in_a_sentence_are_not_negative_for_their_brackets():
    assert values("12 hours (EUR 1,140.00)") == [Decimal(12), Decimal(1140)]
    assert values("Discount   (12.00)") == [Decimal(-12)]


def test_percentages_are_told_from_amounts():
    (numeral,) = numerals("19,00 %", Style(",", "."))
    assert numeral.is_percentage
    assert not numeral.is_money


@pytest.mark.parametrize("text", ["B2B consulting", "S3 storage", "Iso seal", "Bill"])
def test_words_and_codes_with_look_alike_letters_stay_words(text):
    assert unconfuse(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [("l,2O0.5O", "1,200.50"), ("Qty: 1O", "Qty: 10"), ("I6. 72", "16. 72"), ("2x12.50", "2*12.50")],
)
def test_look_alike_letters_within_numbers_are_read_as_digits(text, plain):
    assert unconfuse(text) == plain


def test_currencies_are_counted_by_sign_code_and_name():
    assert currencies("$1, 2 EUR, three euros, G8P") == {"USD": 1, "EUR": 2, "GBP": 1}
    assert currencies("a dollar store") == {}


@pytest.mark.parametrize("text", [None, "abc", "1,5"])
def test_what_is_no_number_of_the_state_is_none(text):
    assert exact(text) is None
