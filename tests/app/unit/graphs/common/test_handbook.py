"""The handbook: its passages, its citations, and the questions it must and must not answer."""

import re
from pathlib import Path

import pytest

from graphs.common.handbook import (
    FOLDER,
    MARK,
    Citation,
    Handbook,
    Hit,
    Passage,
    cite,
    handbook,
    quote,
    read,
)

ANSWERED = {
    "Who approves an invoice of 20,000 EUR?": "approvals#who-approves-what",
    "May I approve an invoice that I entered?": "approvals#separation-of-duties",
    "What confidence does extraction need?": "thresholds#confidence-of-extraction",
    "What happens with duplicates?": "thresholds#duplicates",
    "How long do you keep invoices?": "retention#how-long-documents-are-kept",
    "What is a legal hold?": "retention#legal-hold",
    "Can I get a refund?": "refunds#when-a-refund-is-due",
    "How do I dispute a charge?": "disputes#disputing-a-charge",
    "Where is my data stored?": "residency#where-data-is-stored",
    "Do you train models on our data?": "residency#language-models-and-subprocessors",
    "What does severity 1 mean?": "incidents#severity-levels",
    "What are your opening hours?": "hours#support-hours",
    "What is the rate limit of the API?": "api#rate-limits",
    "What file formats do you accept?": "api#file-sizes-and-formats",
    "How do I add a user?": "onboarding#adding-users-and-roles",
    "How long does onboarding take?": "onboarding#steps-for-a-new-customer",
    "My supplier changed the bank account": "security#changes-of-bank-details",
    "What can a reviewer do?": "review#what-a-reviewer-can-do",
    "When are payments made?": "payments#payment-runs",
}

NOT_ANSWERED = [
    "What is the weather in Paris?",
    "Can you write me a poem about cats?",
    "Which limits apply to quantum teleportation?",
    "How do I reset my password?",
    "Do you have a mobile app?",
    "asdf qwerty",
    "",
    "?!",
]


def test_there_is_a_real_handbook() -> None:
    chapters = {passage.chapter for passage in handbook().passages.values()}
    assert 10 <= len(chapters) <= 14
    assert len(handbook().passages) > 30


def test_ids_are_unique_and_can_be_cited() -> None:
    passages = [passage for path in FOLDER.glob("*.md") for passage in read(path)]
    assert len(passages) == len(handbook().passages)
    assert all(MARK.fullmatch(f"[{passage.id}]") for passage in passages)


def test_no_passage_is_empty_or_too_long_to_quote() -> None:
    assert all(30 < len(passage.text) < 700 for passage in handbook().passages.values())


@pytest.mark.parametrize(("question", "passage"), ANSWERED.items())
def test_a_question_finds_its_passage(question: str, passage: str) -> None:
    assert handbook().answers(question)[0].passage.id == passage


@pytest.mark.parametrize("question", NOT_ANSWERED)
def test_a_question_outside_the_handbook_finds_nothing(question: str) -> None:
    assert handbook().answers(question) == []


def test_every_passage_finds_itself_by_its_heading() -> None:
    book = handbook()
    lost = [each.id for each in book.passages.values() if each.id not in ids(book.search(each.title))]
    assert lost == []


def ids(hits: list[Hit]) -> list[str]:
    return [hit.passage.id for hit in hits]


def test_limit_is_kept() -> None:
    assert len(handbook().search("invoice", limit=2)) == 2


def test_a_file_becomes_passages_with_stable_ids(tmp_path: Path) -> None:
    path = tmp_path / "travel.md"
    path.write_text("# Travel\n\nHi.\n\n## By train & bus\n\nFirst\nline.\n\n## Hotels\n\nSecond.\n", "utf-8")
    assert read(path) == [
        Passage("travel#by-train-bus", "Travel / By train & bus", "First line."),
        Passage("travel#hotels", "Travel / Hotels", "Second."),
    ]


def test_a_quote_is_word_for_word_and_in_order() -> None:
    passage = handbook().passages["approvals#who-approves-what"]
    said = quote(passage, "two people above 10,000 EUR and the chief financial officer")
    assert said.startswith("Above 10,000 EUR two people")
    assert all(part in passage.text for part in re.split(r"(?<=\.) (?=[A-Z])", said))


def test_a_quote_for_another_subject_is_the_first_sentence() -> None:
    passage = handbook().passages["retention#legal-hold"]
    assert quote(passage, "bananas") == passage.text.split(". ")[0] + "."


def test_a_citation_names_its_passage() -> None:
    passage = Passage("a#b", "A / B", "One thing. Another thing.")
    assert cite(passage, "another") == Citation(id="a#b", title="A / B", quote="Another thing.")


def test_an_empty_handbook_answers_nothing() -> None:
    assert Handbook([]).search("anything") == []
