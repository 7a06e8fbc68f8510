"""The question to a person and the answers that are accepted."""

import jsonschema
import pytest

from graphs.common.review import InvalidAnswerError
from graphs.document.extract import read_fields
from graphs.document.review import RESPONSE_SCHEMA, edited, read_answer, request

RISK = {"score": 45, "reasons": ["large"], "above_threshold": True}
EDIT = {"type": "edit", "edited_action": {"name": "file_document", "args": {"total": "160.80"}}}

GOOD = [
    {"type": "approve"},
    {"type": "reject"},
    {"type": "reject", "message": "not ours"},
    EDIT,
    {"type": "edit", "edited_action": {"name": "file_document", "args": {}}},
    {
        "type": "edit",
        "edited_action": {"name": "file_document", "args": {"due_date": None, "document_type": "receipt"}},
    },
]


def edit(**args) -> dict:
    return {"type": "edit", "edited_action": {"name": "file_document", "args": args}}


BAD = [
    None,
    "approve",
    {},
    {"decisions": []},
    {"decisions": [{"type": "approve"}, {"type": "approve"}]},
    {"decisions": [{"type": "accept"}]},
    {"decisions": [{"type": "approve", "because": "I say so"}]},
    {"decisions": [{"type": "edit"}]},
    {"decisions": [{"type": "edit", "edited_action": {"name": "delete_document", "args": {}}}]},
    {"decisions": [edit(total="1,234.50")]},
    {"decisions": [edit(total=12)]},
    {"decisions": [edit(issue_date="3 March 2025")]},
    {"decisions": [edit(currency="euro")]},
    {"decisions": [edit(colour="red")]},
    {"decisions": [edit(parties=[{"role": "witness", "name": "A"}])]},
    {"decisions": [edit(line_items=[{"description": "x"}])]},
    {"decisions": [edit(document_type="unknown")]},
    {"decisions": [{"type": "reject", "message": "x" * 3000}]},
    {"decisions": [{"type": "approve"}], "more": 1},
]


@pytest.mark.parametrize("decision", GOOD)
def test_good_answers_pass_the_schema_and_the_reader(decision):
    jsonschema.validate({"decisions": [decision]}, RESPONSE_SCHEMA)
    assert read_answer({"decisions": [decision]})["type"] == decision["type"]


@pytest.mark.parametrize("answer", BAD)
def test_bad_answers_pass_neither(answer):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer, RESPONSE_SCHEMA)
    with pytest.raises(InvalidAnswerError):
        read_answer(answer)


def test_the_schema_is_one_itself_and_offers_no_defaults_that_would_overwrite():
    jsonschema.Draft202012Validator.check_schema(RESPONSE_SCHEMA)
    properties = RESPONSE_SCHEMA["$defs"]["EditedDocument"]["properties"]
    assert [name for name, schema in properties.items() if "default" in schema] == []


def test_the_question_has_the_shape_that_inboxes_know(clean_invoice):
    fields, _ = read_fields(clean_invoice, "invoice")
    issue = {"code": "total_sum", "field": "total", "message": "It does not add up."}
    question = request("invoice", fields, [issue], RISK)
    (action,) = question["action_requests"]
    assert action["name"] == "file_document"
    assert action["args"]["document_type"] == "invoice"
    assert action["args"]["total"] == "160.8"
    assert "It does not add up." in action["description"]
    assert question["review_configs"] == [
        {"action_name": "file_document", "allowed_decisions": ["approve", "edit", "reject"]}
    ]


def test_the_arguments_of_the_question_are_an_acceptable_edit(clean_invoice):
    fields, _ = read_fields(clean_invoice, "invoice")
    (action,) = request("invoice", fields, [], RISK)["action_requests"]
    answer = {"decisions": [edit(**action["args"])]}
    jsonschema.validate(answer, RESPONSE_SCHEMA)
    kind, changed = edited("invoice", fields, read_answer(answer)["args"])
    assert (kind, changed) == ("invoice", fields)


def test_a_reason_is_given_when_the_last_answer_could_not_be_used(clean_invoice):
    fields, _ = read_fields(clean_invoice, "invoice")
    (action,) = request("invoice", fields, [], RISK, "decisions: Field required")["action_requests"]
    assert "decisions: Field required" in action["description"]


def test_an_edit_changes_what_it_names_and_nothing_else(clean_invoice):
    fields, _ = read_fields(clean_invoice, "invoice")
    line = {"description": "Tape", "amount": "9.00"}
    kind, changed = edited(
        "invoice", fields, {"document_type": "receipt", "due_date": None, "line_items": [line]}
    )
    assert kind == "receipt"
    assert changed["due_date"] is None
    assert changed["line_items"] == [
        {"description": "Tape", "quantity": None, "unit_price": None, "amount": "9.00"}
    ]
    assert changed["parties"] == fields["parties"]
