"""A setting that says where it goes is in every pod of the workload, and nobody has to carry it there."""

from enum import StrEnum
from typing import Any, get_args

import pytest
from infra.infra_stacks import changed, objects, planned
from infra.infra_workloads import Json, of_kind, pod_templates

from langgraph_components.agent_workload import AgentWorkloadArgs, WorkloadSettings
from langgraph_components.args import Args, Defaulted
from langgraph_components.errors import InvalidArgs
from langgraph_components.workload import fields


class Colour(StrEnum):
    RED = "red"


class Inner(Args):
    days: Defaulted[int] = fields.variable("DAYS", default=7)
    unset: str | None = fields.variable("UNSET", default=None)


class Sample(Args):
    plain: str = "told to nobody"
    shown: Defaulted[bool] = fields.variable("SHOWN", default=False)
    colours: Defaulted[list[Colour]] = fields.variable("COLOURS", default_factory=lambda: [Colour.RED] * 2)
    inner: Defaulted[Inner] = Inner()
    absent: Inner | None = None
    runtime: str | None = fields.pod_field("runtimeClassName", default=None)
    selector: Defaulted[dict[str, str]] = fields.pod_field("nodeSelector", default_factory=dict)


def test_a_variable_is_told_as_text_and_none_is_not_told():
    told = {"SHOWN": "false", "COLOURS": "red,red", "DAYS": "7"}
    assert fields.variables(Sample()) == told
    assert fields.variables(Sample.of({"inner": {"days": 1, "unset": "x"}})) == {
        **told,
        "DAYS": "1",
        "UNSET": "x",
    }


def test_every_variable_is_known_by_its_name_whether_it_is_told_or_not():
    assert fields.variable_names(Sample) == {"SHOWN", "COLOURS", "DAYS", "UNSET"}


def test_a_field_of_the_pod_is_left_out_while_it_is_empty():
    assert fields.pod_fields(Sample()) == {}
    told = {"runtimeClassName": "gvisor", "nodeSelector": {"pool": "a"}}
    assert fields.pod_fields(Sample.of({"runtime": "gvisor", "selector": {"pool": "a"}})) == told


def marks(model: type[Args]) -> list[str]:
    """Environment variables and fields of pods that a model declares."""
    found: list[str] = []
    for info in model.model_fields.values():
        found += [value for value in (info.json_schema_extra or {}).values() if isinstance(value, str)]
        for inner in (info.annotation, *get_args(info.annotation)):
            if isinstance(inner, type) and issubclass(inner, Args):
                found += marks(inner)
    return found


def test_no_two_settings_go_to_the_same_place():
    assert len(marks(AgentWorkloadArgs)) == len(set(marks(AgentWorkloadArgs)))


def test_a_variable_that_a_field_sets_cannot_be_set_besides():
    for name in sorted(fields.variable_names(AgentWorkloadArgs)):
        with pytest.raises(InvalidArgs, match=f"environment: {name} cannot be set here"):
            WorkloadSettings.of({"environment": {name: "x"}})


# Settings of a stack


def with_settings(**chosen: Any) -> list[Json]:
    """The objects of the stack `local` with these settings of its workload."""
    return objects(changed("local", {f"workload.{name}": value for name, value in chosen.items()}))


def variables_in(found: list[Json]) -> dict[str, str]:
    """What the server's processes are told."""
    (config,) = (each["data"] for each in of_kind(found, "ConfigMap") if "LOG_LEVEL" in each["data"])
    return config


def templates_in(found: list[Json]) -> dict[str, Json]:
    """Templates of pods with the server's image, by kind and name of their owner."""
    every = pod_templates(found)
    image = every["Deployment/agent-server"]["spec"]["containers"][0]["image"]
    return {owner: each for owner, each in every.items() if each["spec"]["containers"][0]["image"] == image}


def test_a_variable_of_the_stack_is_told_to_the_server():
    assert variables_in(with_settings(log_level="DEBUG"))["LOG_LEVEL"] == "DEBUG"


def test_a_field_of_the_stack_is_in_every_pod():
    found = templates_in(
        with_settings(node_selector={"pool": "agents"}, priority_class="serving", runtime_class="gvisor")
    )
    assert found.keys() >= {"Deployment/agent-server", "CronJob/agent-server-retention"}
    for owner, template in found.items():
        assert template["spec"]["nodeSelector"] == {"pool": "agents"}, owner
        assert template["spec"]["priorityClassName"] == "serving", owner
        assert template["spec"]["runtimeClassName"] == "gvisor", owner
    for template in templates_in(objects(planned("local"))).values():
        assert not {"nodeSelector", "priorityClassName", "runtimeClassName"} & template["spec"].keys()


def test_labels_and_annotations_are_on_every_pod_and_ours_stay():
    marks_of = {"pod_labels": {"cost-centre": "7"}, "pod_annotations": {"sidecar.istio.io/inject": "true"}}
    plain = templates_in(objects(planned("local")))
    for owner, template in templates_in(with_settings(**marks_of)).items():
        metadata = template["metadata"]
        assert metadata["annotations"] == {"sidecar.istio.io/inject": "true"}, owner
        assert metadata["labels"]["cost-centre"] == "7", owner
        assert metadata["labels"]["app.kubernetes.io/name"] == "agent-server", owner
    for template in plain.values():
        assert "annotations" not in template["metadata"]


def test_a_label_that_policies_go_by_cannot_be_set():
    with pytest.raises(InvalidArgs, match=r"pod_labels: app.kubernetes.io/name cannot be set here"):
        WorkloadSettings.of({"pod_labels": {"app.kubernetes.io/name": "mine", "team": "a"}})
