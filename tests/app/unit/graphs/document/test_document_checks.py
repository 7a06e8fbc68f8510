"""Validation, risk and decision: pure functions of what was read."""

from datetime import date

import pytest

from graphs.document.decide import by_human, decide
from graphs.document.risk import MOST, REVIEW_SCORE, THRESHOLDS, Concern, assess
from graphs.document.validate import lines_sum, validate

TODAY = date(2025, 6, 1)


def fields(**changes) -> dict:
    """Return an invoice in order, with changes."""
    return {
        "number": "A-17",
        "parties": [{"role": "seller", "name": "Acme Ltd"}, {"role": "buyer", "name": "Beta Ltd"}],
        "issue_date": "2025-03-03",
        "due_date": "2025-04-02",
        "start_date": None,
        "end_date": None,
        "currency": "EUR",
        "line_items": [item("125", "10", "12.5"), item("9", "4", "2.25")],
        "subtotal": "134",
        "adjustments": [],
        "tax": "26.8",
        "tax_included": False,
        "total": "160.8",
        "paid": None,
        "amount_due": None,
    } | changes


def item(amount: str | None, quantity: str | None = None, price: str | None = None) -> dict:
    return {"description": "Steel bracket", "quantity": quantity, "unit_price": price, "amount": amount}


def contract(**changes) -> dict:
    sides = [{"role": "party", "name": "Acme Ltd"}, {"role": "party", "name": "Beta Ltd"}]
    values = {
        "parties": sides,
        "issue_date": None,
        "due_date": None,
        "start_date": "2025-01-01",
        "end_date": "2025-12-31",
    }
    empty = {"line_items": [], "subtotal": None, "tax": None, "total": "900"}
    return fields(**(values | empty | changes))


def evidence(**changes) -> dict:
    return {
        "stated_totals": ["160.8"],
        "amounts": ["125", "9", "134", "26.8", "160.8"],
        "currencies": ["EUR"],
        "unreadable_dates": [],
        "unread_lines": [],
        "truncated": False,
    } | changes


def codes(kind: str, found: dict, seen: dict | None = None) -> list[str]:
    return [issue["code"] for issue in validate(kind, found, seen)]


def test_documents_in_order_have_no_issues():
    assert codes("invoice", fields(), evidence()) == []
    assert codes("contract", contract(), evidence(stated_totals=["900"])) == []


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"line_items": [item("126", "10", "12.5"), item("9")]}, "line_amount", "line_items[1]"),
        ({"line_items": [item(None, "10", "12.5")]}, "line_amount_missing", "line_items[1]"),
        ({"subtotal": "135"}, "lines_sum", "subtotal"),
        ({"total": "170.8"}, "total_sum", "total"),
        ({"tax": None}, "total_sum", "total"),
        ({"adjustments": [{"label": "shipping", "amount": "5"}]}, "total_sum", "total"),
        ({"due_date": "2025-03-02"}, "dates_order", "due_date"),
        ({"start_date": "2025-03-02", "end_date": "2025-03-02"}, "dates_order", "end_date"),
        ({"paid": "60", "amount_due": "160.8"}, "amount_due", "amount_due"),
        (
            {"total": "-160.8", "subtotal": None, "tax": None, "line_items": [item("-160.8")]},
            "negative_total",
            "total",
        ),
        ({"parties": [{"role": "buyer", "name": "Beta Ltd"}]}, "missing", "seller"),
        ({"parties": [{"role": "seller", "name": "Acme Ltd"}]}, "missing", "buyer"),
        ({"issue_date": None}, "missing", "issue_date"),
        ({"currency": None}, "missing", "currency"),
        ({"total": None}, "missing", "total"),
        ({"line_items": []}, "missing", "line_items"),
        ({"subtotal": "1,34"}, "unreadable", "subtotal"),
        ({"issue_date": "2025-02-30"}, "unreadable", "issue_date"),
    ],
)
def test_each_fault_is_found_and_named(changes, code, field):
    issues = validate("invoice", fields(**changes), None)
    assert (code, field) in [(issue["code"], issue["field"]) for issue in issues]


@pytest.mark.parametrize(
    "changes",
    [
        {"line_items": [item("125.01", "10", "12.501"), item("8.99")]},
        {"tax_included": True, "total": "134"},
        {"adjustments": [{"label": "discount", "amount": "-10"}], "total": "150.8"},
        {"subtotal": None},
        {"paid": "60.8", "amount_due": "100"},
        {"line_items": [item("160.8")], "subtotal": "134"},
        {"due_date": None},
        {"due_date": "2025-03-03"},
    ],
)
def test_what_only_looks_odd_is_in_order(changes):
    assert codes("invoice", fields(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stated_totals": ["160.8", "170.8"]}, "totals_contradict"),
        ({"stated_totals": ["170.8"]}, "total_not_stated"),
        ({"stated_totals": [], "amounts": ["134"]}, "total_not_stated"),
        ({"currencies": ["EUR", "USD"]}, "currencies"),
        ({"currencies": ["USD"]}, "currencies"),
        ({"unreadable_dates": ["31/02/2025"]}, "unreadable"),
        ({"unread_lines": ["Widget 3 7"]}, "line_unread"),
        ({"truncated": True}, "truncated"),
    ],
)
def test_a_reading_is_held_against_the_text(changes, code):
    assert codes("invoice", fields(), evidence(**changes)) == [code]


def test_a_person_may_decide_between_contradicting_totals():
    assert codes("invoice", fields(), None) == []


def test_a_contract_needs_two_sides_and_a_date():
    one = contract(parties=[{"role": "party", "name": "Acme Ltd"}], start_date=None)
    assert codes("contract", one) == ["missing", "missing"]
    assert codes("contract", contract(start_date=None, issue_date="2025-01-01")) == []


def test_the_parts_of_a_contract_add_up_to_its_price():
    assert codes("contract", contract(line_items=[item("400"), item("500")])) == []
    assert codes("contract", contract(line_items=[item("400"), item("600")])) == ["total_sum"]


def test_a_document_of_no_known_kind_is_an_issue():
    assert "unknown_type" in codes("unknown", fields())


def test_receipts_need_no_buyer():
    assert codes("receipt", fields(parties=[{"role": "seller", "name": "Shop"}])) == []


def test_sums_are_exact():
    assert str(lines_sum([item("0.1")] * 3)) == "0.3"
    assert lines_sum([item("1"), item(None)]) is None
    assert lines_sum([]) is None


# --- risk


def risk(kind: str = "invoice", issues: tuple = (), more: tuple = (), **changes) -> dict:
    return assess(kind, fields(**changes), list(issues), TODAY, more)


def test_an_ordinary_document_has_no_risk():
    assert risk() == {"score": 0, "reasons": [], "above_threshold": False}


@pytest.mark.parametrize("currency", THRESHOLDS)
def test_the_threshold_of_each_currency_is_the_highest_total_below(currency):
    limit = THRESHOLDS[currency]
    assert not risk(currency=currency, total=str(limit))["above_threshold"]
    assert risk(currency=currency, total=str(limit + 1))["above_threshold"]


def test_a_currency_without_a_threshold_asks_for_a_human():
    assert risk(currency="CHF")["above_threshold"]


def test_an_unknown_value_asks_for_a_human():
    assert risk(total=None)["above_threshold"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"issue_date": "2025-08-01"}, "future"),
        ({"start_date": "2028-01-01"}, "future"),
        ({"start_date": "2025-01-01", "end_date": "2040-01-01"}, "long"),
        ({"due_date": "2026-03-03"}, "late"),
        ({"due_date": None}, "no due date"),
        ({"tax": "60"}, "tax"),
    ],
)
def test_unusual_dates_and_taxes_are_reasons(changes, word):
    result = risk(**changes)
    assert result["score"] > 0
    assert word in result["reasons"][0]


def test_dates_far_in_the_future_alone_stop_a_document():
    assert risk(issue_date="2025-08-01", due_date="2025-08-31")["score"] >= REVIEW_SCORE


def test_a_contract_without_end_is_a_reason():
    assert "no end" in assess("contract", contract(end_date=None), [], TODAY)["reasons"][0]


def test_issues_and_missing_parties_are_reasons_and_the_heaviest_comes_first():
    issues = validate("invoice", fields(total="170.8", parties=[]), None)
    result = risk(issues=issues, total="170.8")
    assert result["reasons"][0].startswith("1 inconsistencies")
    assert result["score"] >= 40 + 20 + 20


def test_the_score_has_a_limit_and_foreign_concerns_only_raise_it():
    assert risk(more=(Concern(15, "odd"),))["score"] == 15
    assert risk(more=(Concern(500, "very odd"),))["score"] == MOST


# --- decide


NO_RISK = {"score": 0, "reasons": [], "above_threshold": False}
ISSUE = {"code": "total_sum", "field": "total", "message": "wrong"}


def test_what_is_in_order_is_approved_by_rule():
    assert decide([], NO_RISK, None)["outcome"] == "approved"
    assert decide([], NO_RISK, None)["by"] == "rules"


@pytest.mark.parametrize(
    ("issues", "assessed"),
    [
        ([ISSUE], NO_RISK),
        ([], {"score": 50, "reasons": ["large"], "above_threshold": True}),
        ([], {"score": REVIEW_SCORE, "reasons": ["odd"], "above_threshold": False}),
    ],
)
def test_any_issue_the_threshold_or_a_high_score_asks_a_human(issues, assessed):
    decision = decide(issues, assessed, None)
    assert decision["outcome"] == "needs_review"
    assert decision["reasons"]


def test_a_persons_edit_is_approved_when_it_is_consistent_and_only_then():
    large = {"score": 50, "reasons": ["large"], "above_threshold": True}
    assert decide([], large, {"type": "edit"})["by"] == "human"
    assert decide([ISSUE], large, {"type": "edit"})["outcome"] == "needs_review"


def test_the_decision_of_a_person():
    assert by_human({"type": "approve"})["outcome"] == "approved"
    assert by_human({"type": "reject", "message": "not ours"}) == {
        "outcome": "rejected",
        "by": "human",
        "reasons": ["not ours"],
    }
    assert by_human({"type": "reject"})["reasons"] == ["No reason was given."]
