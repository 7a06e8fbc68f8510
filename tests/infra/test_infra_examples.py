"""The examples are whole: each program is planned as its reader would plan it, and its pages are true."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from infra.infra_stacks import before, inputs, kind, of_kind
from support.plans import ROOT, unwarned

from lgp.main import main
from lgp.planning.program import plan
from lgp.planning.recording import Recording

EXAMPLES = ROOT / "examples"
PROJECTS = sorted(path.parent for path in EXAMPLES.glob("*/Pulumi.yaml"))
IN_PYTHON = [folder for folder in PROJECTS if (folder / "__main__.py").is_file()]
CLUSTER = EXAMPLES / "existing-cluster"


@cache
def planned(folder: Path) -> Recording:
    """Its stack `dev`."""
    with unwarned():
        return plan(folder, "dev").recording


@pytest.mark.parametrize("folder", IN_PYTHON, ids=lambda folder: folder.name)
def test_a_program_in_python_can_be_planned(folder):
    assert planned(folder).resources
    assert planned(folder).outputs


@pytest.mark.parametrize("folder", IN_PYTHON, ids=lambda folder: folder.name)
def test_a_program_keeps_the_policy(folder, capfd):
    with unwarned():
        code = main(["plan", "dev", "--cwd", str(folder), "--policy", "--json"])
    told = json.loads(capfd.readouterr().out)["policy"]
    assert (code, told["findings"]) == (0, []), told


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_an_example_is_a_project_that_is_in_the_index_and_says_what_it_needs(folder):
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    stack = yaml.safe_load((folder / "Pulumi.dev.yaml").read_text())["config"]
    ours = {"pulumi", "aws", "kubernetes", "langgraph-policy"}
    assert {key.partition(":")[0] for key in stack} <= {project["name"], *ours}
    assert f"({folder.name}/README.md)" in (EXAMPLES / "README.md").read_text()
    assert "pulumi up" in (folder / "README.md").read_text()


def test_a_team_makes_a_database_an_identity_and_the_server_and_nothing_else():
    components = {kind(one).partition(":")[2] for one in of_kind_ours(planned(CLUSTER))}
    assert components == {"PostgresDatabase", "PodIdentity", "AgentWorkload"}
    made = {kind(resource) for resource in planned(CLUSTER).resources}
    assert not made & {
        "aws:Vpc",
        "aws:Subnet",
        "aws:Cluster",
        "aws:NodeGroup",
        "aws:Key",
        "kubernetes:Release",
    }


def of_kind_ours(recording: Recording):
    return [resource for resource in recording.resources if resource.type.startswith("langgraph:")]


def test_nothing_of_it_takes_a_default_provider():
    for resource in planned(CLUSTER).resources:
        if resource.type.startswith(("aws:", "kubernetes:")):
            assert resource.provider is not None, resource.urn


def test_pods_come_after_the_identity_that_gives_them_credentials():
    first = before(planned(CLUSTER), "agents-api", "kubernetes:Deployment")
    assert {"aws:PodIdentityAssociation agents-identity", "aws:RolePolicy agents-policy"} <= first
    assert {"kubernetes:Job agents-migration", "aws:Instance agents-db"} <= first


def test_the_configuration_reaches_components_as_it_is():
    (deployment,) = of_kind(planned(CLUSTER), "kubernetes:Deployment")
    pod = deployment.inputs["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"pool": "agents"}
    assert pod["tolerations"] == [{"key": "agents", "operator": "Exists", "effect": "NoSchedule"}]
    assert inputs(planned(CLUSTER), "aws:Instance")["instanceClass"] == "db.t4g.medium"


def test_the_page_says_how_many_there_are():
    told = (CLUSTER / "README.md").read_text()
    (said,) = re.findall(r"declares (\d+) resources", told)
    found = [one for one in planned(CLUSTER).resources if one.type.startswith(("aws:", "kubernetes:"))]
    assert int(said) == len(found)


def test_the_page_on_importing_shows_what_the_example_does():
    page = (ROOT / "docs/howto/import-components.md").read_text()
    program = (CLUSTER / "__main__.py").read_text()
    body = page.split("```python\ndef owned")[1].split("\n\nAgentWorkload")[0]
    assert body in program.split("def owned")[1].replace(_doc(program), "")


def _doc(program: str) -> str:
    return re.findall(r'    """This cluster admits.*\n', program)[0]


def test_the_program_of_the_components_page_is_whole(tmp_path):
    page = (ROOT / "components" / "README.md").read_text()
    (tmp_path / "__main__.py").write_text(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0])
    (tmp_path / "Pulumi.yaml").write_text("name: page\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    with unwarned():
        found = plan(tmp_path, "dev").recording
    (said,) = re.findall(r"this one declares (\d+) resources", page)
    assert len(found.resources) == int(said)
