"""BM25: what it promises about order, coverage and odd input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.common.ranking import MAX_CHARACTERS, STOP_WORDS, Index, stem, terms

WORDS = st.sampled_from(
    ["invoice", "refund", "approval", "retention", "incident", "supplier", "audit", "limit"]
)
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=8)


@pytest.mark.parametrize(
    "family",
    [
        ("approve", "approves", "approved", "approval", "approvals"),
        ("invoice", "invoices", "invoicing"),
        ("refund", "refunds", "refunded"),
        ("policy", "policies"),
        ("escalate", "escalated", "escalation", "escalations"),
        ("day", "days"),
        ("process", "processes", "processing"),
        ("fee", "fees"),
        ("add", "adding", "added", "adds"),
    ],
)
def test_words_of_one_family_share_their_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize("pair", [("security", "secret"), ("paid", "payment"), ("region", "register")])
def test_other_words_do_not(pair: tuple[str, str]) -> None:
    assert stem(pair[0]) != stem(pair[1])


def test_numbers_are_read_without_thousands_separators() -> None:
    assert terms("10,000.50 EUR") == ["10000.50", "eur"]


def test_stop_words_carry_no_meaning() -> None:
    assert terms(" ".join(STOP_WORDS)) == []


def test_the_text_with_the_rarer_word_comes_first() -> None:
    index = Index(["invoice invoice", "invoice refund", "invoice audit"])
    assert index.rank("the refund of an invoice")[0].position == 1


def test_a_long_text_is_held_back() -> None:
    index = Index(["refund " + "invoice " * 50, "refund"])
    assert [score.position for score in index.rank("refund")] == [1, 0]


def test_an_unknown_word_lowers_coverage() -> None:
    index = Index(["refund rules"])
    assert index.rank("refund")[0].coverage == 1
    assert index.rank("refund teleportation")[0].coverage < 0.5


def test_an_unknown_number_does_not() -> None:
    assert Index(["refund rules"]).rank("refund of 12,345")[0].coverage == 1


def test_only_the_start_of_a_huge_query_is_read() -> None:
    index = Index(["refund", "invoice"])
    assert [score.position for score in index.rank("refund " * MAX_CHARACTERS + "invoice")] == [0]


@pytest.mark.parametrize("texts", [[], [""], ["", "the of"]])
def test_nothing_is_found_in_nothing(texts: list[str]) -> None:
    assert Index(texts).rank("refund") == []


@given(texts=TEXTS, query=st.lists(WORDS, max_size=6).map(" ".join))
def test_scores_are_ordered_and_bounded(texts: list[str], query: str) -> None:
    scores = Index(texts).rank(query)
    assert [score.points for score in scores] == sorted((score.points for score in scores), reverse=True)
    assert all(0 < score.coverage <= 1 for score in scores)


@given(texts=TEXTS, query=st.lists(WORDS, max_size=6).map(" ".join))
def test_exactly_the_texts_that_share_a_word_are_found(texts: list[str], query: str) -> None:
    sharing = {position for position, text in enumerate(texts) if set(text.split()) & set(query.split())}
    assert {score.position for score in Index(texts).rank(query)} == sharing


@given(texts=TEXTS, query=st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
def test_word_order_and_repetition_in_a_query_change_nothing(texts: list[str], query: str) -> None:
    index = Index(texts)
    shuffled = " ".join([*reversed(query.split()), query])
    assert index.rank(query) == index.rank(shuffled)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(terms(text)) or terms(text) == []
    Index([text]).rank(text)
