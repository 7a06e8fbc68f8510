"""Every sample is a complete body that does what its name says."""

import json
from pathlib import Path

import pytest

from graphs import document

FOLDER = Path(document.__file__).parent.parent / "samples" / "document"
RESUMES = sorted(FOLDER.glob("*.resume.json"))
SAMPLES = [path for path in sorted(FOLDER.glob("*.json")) if path not in RESUMES]
PASSING = {"invoice": "invoice", "receipt": "receipt", "contract": "contract", "scanned_invoice": "invoice"}


def body(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_samples_are_there():
    assert {path.stem for path in SAMPLES} >= {*PASSING, "needs_approval"}
    assert [path.name for path in RESUMES] == ["needs_approval.resume.json"]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_a_body_of_invoke(path):
    assert set(body(path)) == {"input"}
    assert set(body(path)["input"]) <= {"text", "source"}


@pytest.mark.parametrize(("name", "kind"), PASSING.items())
async def test_ordinary_documents_pass_by_themselves(desk, name, kind):
    result = await desk.hand_in(**body(FOLDER / f"{name}.json")["input"])
    assert result["document_type"] == kind
    assert result["issues"] == []
    assert result["status"] == "filed"


async def test_the_one_that_needs_approval_stops_and_its_resume_finishes_it(desk):
    result = await desk.hand_in(**body(FOLDER / "needs_approval.json")["input"])
    assert "__interrupt__" in result
    resumed = await desk.answer_with(body(RESUMES[0])["resume_data"])
    assert set(body(RESUMES[0])) == {"resume_data"}
    assert resumed["status"] == "filed"
    assert resumed["decision"]["by"] == "human"
