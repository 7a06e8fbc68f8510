"""Cleaning, labels, lines and columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.document.lexicon import Lexicon
from graphs.document.normalise import LONGEST_LINE, MAX_CHARACTERS, clean, skeleton, truncated, words
from graphs.document.page import read
from graphs.document.vocabulary import AMOUNTS, COLUMNS, DAYS, expand


@given(st.text(max_size=300))
def test_no_text_breaks_cleaning_or_reading(text):
    clean(text)
    read(text)


@given(st.text(max_size=300))
def test_a_clean_text_is_clean(text):
    once = clean(text)
    assert clean(once).split() == once.split() or "-\n" in once


def test_quotes_dashes_tabs_and_invisible_characters_become_plain():
    assert clean("\u201cA\u201d \u2013 b\u00a0c\u200b\td") == '"A" - b c    d'


def test_a_word_broken_over_two_lines_is_joined():
    assert clean("the agree-\n\nment of the par-\nties") == "the agreement of the parties"


def test_a_letter_spaced_title_is_joined():
    assert clean("I N V O I C E") == "INVOICE"


def test_the_lines_of_a_paragraph_are_joined_and_labels_are_not():
    first = "This agreement is made today between the two parties that are"
    text = f"{first}\nnamed below and signed.\nTotal: 5.00\nTax: 1.00"
    assert clean(text).split("\n") == [f"{first} named below and signed.", "Total: 5.00", "Tax: 1.00"]


def test_an_item_that_ends_in_an_amount_is_a_line_of_its_own():
    text = "- 12 hours of consulting for the new office at 95.00 = EUR 1,140.00\nNet total EUR 1,140.00"
    assert len(clean(text).split("\n")) == 2


def test_ruled_lines_and_markup_disappear():
    assert clean("# Title\n-----\n**Total:** 5") == "Title\n\nTotal: 5"


def test_what_is_too_long_is_cut_and_said_so():
    assert truncated("x" * (MAX_CHARACTERS + 1))
    assert not truncated("x" * MAX_CHARACTERS)
    assert max(map(len, clean("x " * MAX_CHARACTERS).split("\n"))) <= LONGEST_LINE


@pytest.mark.parametrize(
    ("left", "right"),
    [("lnvoice", "INVOICE"), ("T0TAL", "total"), ("Sub-total", "subtotal"), ("5ubtota1", "Subtotal")],
)
def test_what_scanners_confuse_is_the_same_word(left, right):
    assert skeleton(left) == skeleton(right)


def test_words_leave_out_numbers_and_fillers():
    text = "the Total of 12.50 USD due"
    assert [text[word.start : word.end] for word in words(text)] == ["Total", "due"]


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Total", "total"),
        ("TOTAL DUE", "due"),
        ("Sub - total", "subtotal"),
        ("Total excl. VAT", "subtotal"),
        ("Total incl. VAT", "total"),
        ("VAT (20%)", "tax"),
        ("Sum of invoice line net amount", "subtotal"),
        ("Amount before any taxes", "subtotal"),
        ("incl. GST", "tax_included"),
        ("Delivery", "added"),
        ("Trade discount", "deducted"),
    ],
)
def test_labels_of_amounts_are_understood_by_their_parts(text, concept):
    assert AMOUNTS.last(text).concept == concept


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Invoice date", "issue"),
        ("please pay by", "due"),
        ("shall commence on", "start"),
        ("must reach us by", "due"),
        ("expires on", "end"),
        ("Delivery date", "none"),
    ],
)
def test_labels_of_dates(text, part):
    assert DAYS.last(text).concept == part


def test_the_longest_phrase_at_a_place_wins():
    lexicon = Lexicon({"short": ["total"], "long": ["grand total"]})
    assert lexicon.last("the grand total").concept == "long"
    assert lexicon.first("grand total of all").concept == "long"
    assert [hit.concept for hit in lexicon.every("total and grand total")] == ["short", "long"]


def test_a_phrase_counts_only_near_the_value():
    lexicon = Lexicon({"sum": ["total"]})
    assert lexicon.last("total of the work") is not None
    assert lexicon.last("total work done by many people since spring") is None


def test_a_whole_label_has_no_other_words():
    assert COLUMNS.whole("Unit price") == "price"
    assert COLUMNS.whole("Unit price of steel") is None


def test_templates_stand_for_every_combination():
    assert set(expand("net <any?>")) == {"net any", "net applicable", "net all", "net"}


def test_columns_are_what_is_two_spaces_or_a_bar_apart():
    (line,) = read("Oat milk  2 | 3.50   7.00").lines
    assert [cell.text for cell in line.cells] == ["Oat milk", "2", "3.50", "7.00"]


def test_a_row_of_dots_separates_a_label_from_its_value():
    (line,) = read("Total ........... 12.00").lines
    assert [cell.text for cell in line.cells] == ["Total", "12.00"]


def test_what_stands_above_and_below_is_found_by_column():
    page = read("Invoice date      Due date\n2025-03-03        2025-04-02")
    below = page.lines[1]
    assert page.above(below, below.days[1].start, below.days[1].end) == "Due date"
    assert page.below(page.lines[0], 0, 12) == ["2025-03-03"]


def test_in_a_table_with_bars_columns_are_counted():
    page = read("| Invoice date | Due |\n|---|---|\n| 2025-03-03 | 2025-04-02 |")
    line = page.lines[1]
    assert page.above(line, line.days[1].start, line.days[1].end) == "Due"


def test_a_sentence_ends_at_a_full_stop_but_not_after_an_abbreviation():
    (line,) = read("We thank you. Total excl. VAT 12.00").lines
    assert line.before_amount(line.amounts[0].start) == "Total excl. VAT "
