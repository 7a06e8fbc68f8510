"""The same agents with a language model, which suggests and never decides."""

from typing import Any

import pytest

from graphs.common.calls import (
    ModelBusyError,
    ModelFailedError,
    ModelRefusedError,
    ModelSlowError,
)
from graphs.document import model_reading
from graphs.document.extract import read_fields
from graphs.document.model_reading import (
    MAX_CONCERNS,
    SEVERITY,
    ConcernsAnswer,
    FieldsAnswer,
    KindAnswer,
    extract_with_model,
)
from graphs.document.normalise import MAX_CHARACTERS
from graphs.document.risk import REVIEW_SCORE

NOTHING_SAID: dict[str, Any] = {
    "number": None, "parties": [], "issue_date": None, "due_date": None, "start_date": None, "end_date": None,
    "currency": None, "line_items": [], "subtotal": None, "tax": None, "total": None,
}  # fmt: skip

READING = NOTHING_SAID | {
    "number": "A-17",
    "parties": [
        {"role": "seller", "name": " Northwind Traders Ltd "},
        {"role": "buyer", "name": "Alder & Finch LLC"},
    ],
    "issue_date": "2025-03-03",
    "due_date": "2 April 2025",
    "currency": "gbp",
    "line_items": [
        {"description": "Steel bracket", "quantity": "10", "unit_price": "£12.50", "amount": "£125.00"},
        {"description": "Packing tape", "quantity": "4", "unit_price": "2.25", "amount": "9.00"},
    ],
    "subtotal": "£134.00",
    "tax": "26,80",
    "total": "£160.80",
}


class Model:
    """Stands in for the provider: the next answer of each schema, or an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[type, Any] = {
            KindAnswer: {"document_type": "invoice"},
            FieldsAnswer: READING,
            ConcernsAnswer: {"concerns": []},
        }
        self.prompts: list[str] = []
        monkeypatch.setattr(model_reading, "usable_model", self.load)
        monkeypatch.setattr(model_reading, "ask_structured", self.ask)

    async def load(self) -> object:
        return self

    async def ask(self, model, messages, schema):
        assert model is self
        self.prompts.append(messages[-1].text)
        answer = self.answers[schema]
        if isinstance(answer, Exception):
            raise answer
        return schema.model_validate(answer)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    return Model(monkeypatch)


async def test_a_models_reading_is_normalised_and_used(model, desk, clean_invoice):
    model.answers[FieldsAnswer] = READING | {"number": "read by the model"}
    result = await desk.hand_in(clean_invoice)
    assert result["fields"]["number"] == "read by the model"
    assert result["fields"]["total"] == "160.8"
    assert result["fields"]["tax"] == "26.8"
    assert result["fields"]["due_date"] == "2025-04-02"
    assert result["fields"]["currency"] == "GBP"
    assert result["fields"]["parties"][0]["name"] == "Northwind Traders Ltd"
    assert result["status"] == "filed"
    assert result["notes"] == []


async def test_what_the_model_leaves_out_is_filled_in_by_rule(model, desk, clean_invoice):
    model.answers[FieldsAnswer] = NOTHING_SAID
    result = await desk.hand_in(clean_invoice)
    assert result["status"] == "filed"
    assert len(result["fields"]["line_items"]) == 2


async def test_values_of_the_model_that_cannot_be_read_count_as_left_out(model, desk, clean_invoice):
    model.answers[FieldsAnswer] = NOTHING_SAID | {
        "total": "about 160",
        "due_date": "soon",
        "currency": "pounds",
    }
    result = await desk.hand_in(clean_invoice)
    assert result["fields"]["total"] == "160.8"
    assert result["fields"]["due_date"] == "2025-04-02"
    assert result["fields"]["currency"] == "GBP"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"total": "1.00"}, "total_not_stated"),
        ({"currency": "USD"}, "currencies"),
        ({"subtotal": "150.00"}, "lines_sum"),
        ({"due_date": "2025-01-01"}, "dates_order"),
    ],
)
async def test_whatever_the_model_says_is_cross_checked(model, desk, clean_invoice, changes, code):
    model.answers[FieldsAnswer] = READING | changes
    result = await desk.hand_in(clean_invoice)
    assert code in [issue["code"] for issue in result["issues"]]
    assert "__interrupt__" in result


async def test_a_model_cannot_hide_a_contradiction_of_the_text(model, desk, clean_invoice):
    result = await desk.hand_in(clean_invoice + "\nAmount due: £999.00\n")
    assert "totals_contradict" in [issue["code"] for issue in result["issues"]]


@pytest.mark.parametrize(
    "error", [ModelRefusedError(), ModelBusyError(), ModelSlowError(), ModelFailedError()]
)
async def test_without_a_usable_answer_the_rules_do_the_work_and_say_so(model, desk, clean_invoice, error):
    model.answers = dict.fromkeys(model.answers, error)
    result = await desk.hand_in(clean_invoice)
    assert result["status"] == "filed"
    assert len(result["notes"]) == 3
    assert str(error) in result["notes"][0]


async def test_one_failing_call_does_not_spoil_the_others(model, desk, clean_invoice):
    model.answers[FieldsAnswer] = ModelBusyError()
    result = await desk.hand_in(clean_invoice)
    assert result["status"] == "filed"
    assert len(result["notes"]) == 1


async def test_a_misconfigured_model_loses_no_document(desk, clean_invoice, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "key-for-tests")
    monkeypatch.setenv("AGENT_MODEL", "no such model")
    result = await desk.hand_in(clean_invoice)
    assert result["status"] == "filed"
    assert len(result["notes"]) == 3


@pytest.mark.parametrize("schema", [KindAnswer, FieldsAnswer, ConcernsAnswer])
def test_the_schemas_are_as_strict_as_the_providers_demand(schema):
    top = schema.model_json_schema()
    for part in (top, *top.get("$defs", {}).values()):
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])


async def test_the_models_kind_decides_what_is_required(model, desk, clean_invoice):
    model.answers[KindAnswer] = {"document_type": "contract"}
    result = await desk.hand_in(clean_invoice)
    assert result["document_type"] == "contract"
    assert {party["role"] for party in result["fields"]["parties"]} == {"party"}


async def test_concerns_of_the_model_raise_the_risk_but_cannot_stop_a_document_alone(
    model, desk, clean_invoice
):
    concern = {"severity": "high", "reason": "Round numbers. " * 50}
    model.answers[ConcernsAnswer] = {"concerns": [concern] * 5}
    result = await desk.hand_in(clean_invoice)
    assert result["risk"]["score"] == SEVERITY["high"] * MAX_CONCERNS < REVIEW_SCORE
    assert max(map(len, result["risk"]["reasons"])) < 250
    assert result["status"] == "filed"


async def test_the_document_is_handed_over_as_data_and_only_as_much_as_is_read(model, desk, clean_invoice):
    await desk.hand_in(clean_invoice + "y" * 2 * MAX_CHARACTERS)
    assert all("<document>" in prompt for prompt in model.prompts)
    assert max(map(len, model.prompts)) < MAX_CHARACTERS + 500


async def test_without_a_model_nothing_is_asked_and_nothing_is_noted(clean_invoice):
    by_rule, _ = read_fields(clean_invoice, "invoice")
    assert await extract_with_model(clean_invoice, "invoice", by_rule) == (None, [])
