"""No text, however made, holds a process up."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.document.classify import classify
from graphs.document.extract import read_fields
from graphs.document.page import read

SIZE = 20_000
"""Characters; a fifth of what is read at most."""

SECONDS: float = 6
"""The bar for one reading of such a text. It takes under two seconds on a machine with nothing else to do."""

HOSTILE = {
    "digits": "1",
    "commas": "1,234",
    "letters in digits": "lO5",
    "spaces": " ",
    "dots": ". ",
    "dashes": "-",
    "brackets": '("A" and ',
    "amounts": "1,234.50 ",
    "rows": "Widget 2 12.50 25.00\n",
    "counts": "2 x ",
    "prices": "2 @ 3.00 ",
    "dates": "1 March 2024 ",
    "labels": "invoice total due ",
    "colons": "a: ",
    "names": "Acme and Beta ",
    "between": "between Acme and ",
    "headers": "Qty  Price  Amount  \n",
    "broken words": "abc-\n",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", ["invoice", "contract"])
def test_hostile_texts_are_read_in_bounded_time(piece, kind):
    text = piece * (SIZE // len(piece))
    started = time.perf_counter()
    classify(read(text))
    read_fields(text, kind)
    assert time.perf_counter() - started < SECONDS


LINES = st.lists(
    st.sampled_from(
        ["INVOICE", "Total: 5.00", "Total", "Qty  Price  Amount", "2 x Tea @ 1.00  2.00", "Due 31/02/2025",
         "|||", "a: b", "From Acme to Beta", "between A and B", "(1) X", "VAT 20%", "- 5.00", "Item: Tea",
         "Amount: x", "\u20ac", "1.000,00"]
    ),
    max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(
    st.one_of(st.text(max_size=200), LINES.map("\n".join)),
    st.sampled_from(["invoice", "receipt", "contract", "unknown"]),
)
def test_every_text_has_a_reading(text, kind):
    fields, evidence = read_fields(text, kind)
    assert set(evidence) >= {"stated_totals", "amounts"}
    assert all(item["amount"] is None or "," not in item["amount"] for item in fields["line_items"])
