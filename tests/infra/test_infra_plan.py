"""`lgp plan`: the tree, the document, the files, and one line for whatever is wrong."""

import json
import os
import re
import subprocess
import sys
from textwrap import dedent

import pytest
import yaml
from support.plans import ROOT, Project, lgp_plan

PROGRAM = dedent(
    """
    import pulumi
    import pulumi_kubernetes as k8s
    import pulumi_random as random
    from langgraph_components.encryption import Encryption

    config = pulumi.Config()
    print("hello from the program")
    Encryption("keys", {"account_id": "123456789012", "region": "eu-west-1", "protect": True})
    cluster = k8s.Provider("cluster", kubeconfig="apiVersion: v1", namespace="other")
    there = pulumi.ResourceOptions(provider=cluster)
    named = {"name": "settings", "namespace": "agents"}
    k8s.core.v1.Namespace("agents", metadata={"name": "agents"}, opts=there)
    texts = {"revision": "1e3", "text": "a\\nb\\n"}
    k8s.core.v1.ConfigMap("settings", metadata=named, data=texts, opts=there)
    password = random.RandomPassword("password", length=20)
    texts = {"password": password.result, "token": config.require_secret("token")}
    k8s.core.v1.Secret("login", metadata=named | {"name": "login"}, string_data=texts, opts=there)
    k8s.core.v1.Secret("plain", metadata={"name": "plain"}, data={"key": "aHVzaA=="}, opts=there)
    k8s.helm.v3.Release(
        "operator",
        chart="external-secrets",
        version="2.9.1",
        namespace="external-secrets",
        repository_opts={"repo": "https://charts.invalid"},
        values={"replicas": 2, "login": config.require_secret("token")},
        opts=there,
    )
    pulumi.export("size", config.require_int("size"))
    pulumi.export("password", password.result)
    """
)
DECLARED = "{size: {type: integer, default: 3}, token: {type: string, secret: true}}"
CONFIG = "{'demo:token': {secure: v1:AAAA}}"


@pytest.fixture
def project(tmp_path, capfd) -> Project:
    return Project(tmp_path / "project", capfd).write(PROGRAM, config=CONFIG, declared=DECLARED)


def test_the_tree_shows_components_counts_protection_and_secrets(project):
    done = project.plan()
    assert done.code == 0
    assert done.out.startswith("demo stack dev\n")
    assert "langgraph:index:Encryption keys (8)" in done.out
    assert re.search(r"│   .── aws:kms:Key keys-data protected\n", done.out)
    assert "kubernetes:core/v1:Secret login secret: stringData" in done.out
    assert re.search(r"^ *4  aws:kms:Alias$", done.out, re.MULTILINE)
    assert "16 resources: 1 chart, 1 component, 1 provider, 8 aws, 4 kubernetes, 1 random" in done.out
    assert re.search(r"^password +<secret>$", done.out, re.MULTILINE)


def test_no_line_ends_in_spaces(project):
    assert not [line for line in project.plan().out.splitlines() if line != line.rstrip()]


def test_what_the_program_prints_is_not_in_the_plan(project):
    done = project.plan("--json")
    assert "hello from the program" in done.err
    assert "hello" not in done.out
    assert done.document["stack"] == "dev"


def test_the_document_has_exactly_the_promised_keys(project):
    document = project.plan("--json").document
    assert list(document) == ["stack", "resources", "outputs"]
    assert document["outputs"] == {"size": 3, "password": "<secret>"}
    keys = ["type", "name", "parent", "provider", "protect", "inputs"]
    assert [list(resource) for resource in document["resources"]] == [keys] * 16
    by_name = {(resource["type"], resource["name"]): resource for resource in document["resources"]}
    key = by_name["aws:kms/key:Key", "keys-data"]
    assert key["parent"] == "urn:pulumi:dev::demo::langgraph:index:Encryption::keys"
    assert key["protect"] is True
    settings = by_name["kubernetes:core/v1:ConfigMap", "settings"]
    assert settings["parent"] is None
    assert settings["provider"] == "urn:pulumi:dev::demo::pulumi:providers:kubernetes::cluster"
    assert settings["inputs"]["kind"] == "ConfigMap"
    assert by_name["kubernetes:core/v1:Secret", "plain"]["inputs"]["data"] == {"key": "PHNlY3JldD4="}


def test_no_secret_is_anywhere(project, tmp_path):
    told = [project.plan(*arguments) for arguments in ([], ["--json"], ["--out", str(tmp_path / "out")])]
    texts = [text for done in told for text in (done.out, done.err)]
    texts += [path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for secret in ("AAAA", "password-result", "aHVzaA"):
        assert not [text for text in texts if secret in text]


def test_the_files_are_objects_to_apply_charts_and_the_graph(project, tmp_path):
    folder = tmp_path / "new" / "out"
    done = project.plan("--out", str(folder))
    assert done.err.endswith(f"6 files in {folder}\n")
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == [
        ".lgp-plan",
        "aws.json",
        "charts/operator.yaml",
        "kubernetes/_cluster/namespace-agents.yaml",
        "kubernetes/_cluster/secret-plain.yaml",
        "kubernetes/agents/configmap-settings.yaml",
        "kubernetes/agents/secret-login.yaml",
    ]
    settings = yaml.safe_load((folder / "kubernetes/agents/configmap-settings.yaml").read_text())
    assert settings == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "agents"},
        "data": {"revision": "1e3", "text": "a\nb\n"},
    }
    login = yaml.safe_load((folder / "kubernetes/agents/secret-login.yaml").read_text())
    assert login["stringData"] == {"password": "<secret>", "token": "<secret>"}
    assert yaml.safe_load((folder / "charts/operator.yaml").read_text()) == {
        "name": "operator",
        "namespace": "external-secrets",
        "chart": "external-secrets",
        "version": "2.9.1",
        "repository": "https://charts.invalid",
        "values": {"replicas": 2, "login": "<secret>"},
    }
    graph = json.loads((folder / "aws.json").read_text())
    assert {resource["type"].partition(":")[0] for resource in graph["resources"]} == {
        "aws",
        "langgraph",
        "pulumi",
        "random",
    }
    alias = next(resource for resource in graph["resources"] if resource["name"] == "keys-data-alias")
    key = next(resource["urn"] for resource in graph["resources"] if resource["name"] == "keys-data")
    assert alias["references"] == {"targetKeyId": [key]}
    assert alias["dependencies"] == [key]


def test_a_second_plan_leaves_nothing_of_the_first(project, tmp_path):
    folder = tmp_path / "out"
    project.plan("--out", str(folder))
    project.write("import pulumi", declared="{}")
    assert project.plan("--out", str(folder)).code == 0
    assert sorted(path.name for path in folder.iterdir()) == [".lgp-plan", "aws.json"]


def test_a_folder_with_other_files_is_never_touched(project, tmp_path):
    (tmp_path / "kubernetes").mkdir()
    done = project.plan("--out", str(tmp_path))
    assert done.code == 2
    assert "holds files that are not a plan's" in done.err
    assert (tmp_path / "kubernetes").is_dir()


def test_two_objects_of_one_name_are_refused_and_two_kinds_of_one_name_are_not(project, tmp_path):
    program = """
        import pulumi_kubernetes as k8s
        policy = {{"metadata": {{"name": "deny", "namespace": "a"}}}}
        k8s.networking.v1.NetworkPolicy("one", **policy)
        k8s.apiextensions.CustomResource("two", api_version="{}", kind="NetworkPolicy", **policy)
        """
    project.write(dedent(program.format("crd.projectcalico.org/v1")))
    assert project.plan("--out", str(tmp_path / "out")).code == 0
    names = sorted(path.name for path in (tmp_path / "out/kubernetes/a").iterdir())
    assert names == ["networkpolicy-deny.yaml", "networkpolicy.networking.k8s.io-deny.yaml"]
    program = (
        'import pulumi_kubernetes as k8s\nfor n in "xyz": k8s.core.v1.ConfigMap(n, metadata={"name": "same"})'
    )
    done = project.write(program).plan("--out", str(tmp_path / "out"))
    assert done.code == 1
    assert "two resources are the same ConfigMap" in done.err


def test_the_same_input_gives_the_same_bytes(project, tmp_path):
    def told(seed: str) -> tuple[str, str, dict[str, str]]:
        folder = tmp_path / seed
        shown = lgp_plan(project.folder, "--out", str(folder), PYTHONHASHSEED=seed, LANG="C.UTF-8")
        document = lgp_plan(project.folder, "--json", PYTHONHASHSEED=seed, AWS_REGION=f"region-{seed}")
        assert (shown.code, document.code) == (0, 0), shown.err + document.err
        files = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
        return shown.out, document.out, files

    assert told("1") == told("2")


def test_accounts_and_clusters_of_this_machine_are_not_in_a_plan(project, tmp_path, monkeypatch):
    program = 'import pulumi_aws as aws, pulumi_kubernetes as k8s\naws.Provider("a")\nk8s.Provider("k")'
    project.write(program)
    (tmp_path / "garbage").write_text("{{{ no kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "garbage"))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    document = project.plan("--json").document
    inputs = {resource["name"]: resource["inputs"] for resource in document["resources"]}
    assert not {"region", "kubeconfig"} & {*inputs["a"], *inputs["k"]}


def test_what_the_program_logs_is_told_once(project):
    program = """
        import pulumi
        for _ in range(3):
            pulumi.log.warn("mind [this]")
            pulumi.log.info("by the way")
        """
    done = project.write(dedent(program)).plan("--json")
    assert done.err == "warning: mind [this]\nby the way\n"
    assert done.document["resources"] == []


def test_transforms_are_said_not_to_run(project):
    program = "import pulumi\npulumi.runtime.register_resource_transform(lambda args: None)\n"
    done = project.write(program).plan()
    assert done.code == 0
    assert "a plan runs no transforms" in done.err


WRONG = {
    "import pulumi\n\nraise ValueError('boom')": (1, "__main__.py:3: ValueError: boom"),
    "def f(\n": (1, "__main__.py:1: SyntaxError: '(' was never closed"),
    "import sys\nsys.exit(3)": (1, "__main__.py:2: SystemExit: 3"),
    "import pulumi_nothing": (
        1,
        "the package pulumi-nothing is not installed: `make setup`, or pip install it",
    ),
    "import nothing": (1, "__main__.py:1: ModuleNotFoundError: No module named 'nothing'"),
    "import pulumi\npulumi.Config().require('size')": (
        2,
        "Missing required configuration variable 'demo:size'",
    ),
    "import pulumi\npulumi.Config('x').require_int('y')": (
        2,
        "Missing required configuration variable 'x:y'",
    ),
    "import pulumi\nraise pulumi.RunError('use less')": (1, "use less"),
    "import pulumi\npulumi.log.error('bad thing')": (1, "bad thing"),
    "import pulumi\npulumi.export('x', pulumi.Output.from_input(1).apply(lambda x: x / 0))": (
        1,
        "__main__.py:2: ZeroDivisionError: division by zero",
    ),
    "import pulumi_aws\npulumi_aws.get_region()": (
        1,
        "aws:index/getRegion:getRegion: a plan asks no cloud; take the value from the stack's config",
    ),
    "import pulumi_random as r\nfor _ in '12':\n    r.RandomPassword('a', length=1)": (
        1,
        "two resources have the same name: "
        "urn:pulumi:dev::demo::random:index/randomPassword:RandomPassword::a is declared more than once",
    ),
    "from langgraph_components.encryption import Encryption\nEncryption('k', {'region': 'r', 'colour': 1})": (
        2,
        "EncryptionArgs.account_id: is required; EncryptionArgs.colour: there is no such setting",
    ),
    "from pydantic import BaseModel\nclass A(BaseModel):\n    x: int\nA(x='a')": (
        1,
        "__main__.py:4: A.x: Input should be a valid integer, unable to parse string as an integer",
    ),
}


@pytest.mark.parametrize(("program", "code", "said"), [(key, *value) for key, value in WRONG.items()])
def test_whatever_is_wrong_is_one_line(project, program, code, said):
    done = project.write(program).plan()
    assert done.err == f"lgp: {said}\n"
    assert (done.code, done.out) == (code, "")


@pytest.mark.parametrize("disabled", ["[random]", "['*']"])
def test_a_default_provider_that_is_disabled_is_not_used(project, disabled):
    program = "import pulumi_random as r\nr.RandomId('id', byte_length=4)"
    config = f"{{'pulumi:disable-default-providers': {disabled}}}"
    done = project.write(program, config=config).plan()
    assert done.code == 1
    assert "randomId:RandomId::id has no explicit provider, and pulumi:disable-default-providers" in done.err
    named = (
        "import pulumi, pulumi_random as r\n"
        "r.RandomId('id', byte_length=4, opts=pulumi.ResourceOptions(provider=r.Provider('p')))"
    )
    assert project.write(named, config=config).plan().code == 0


def test_an_error_is_json_for_programs(project):
    done = project.write("raise ValueError('boom')").plan("--json")
    assert done.document == {"error": {"detail": "__main__.py:1: ValueError: boom", "exit_code": 1}}


def test_the_innermost_line_of_the_program_is_named(project):
    (project.folder / "parts").mkdir()
    (project.folder / "parts" / "deep.py").write_text("def fail():\n    raise KeyError('x')\n")
    done = project.write("from parts import deep\ndeep.fail()").plan()
    assert done.err == "lgp: parts/deep.py:2: KeyError: 'x'\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pord"], "lgp: there is no stack 'pord' (Pulumi.pord.yaml); there are: dev\n"),
        (["--diff", "HEAD"], "is in no git repository"),
    ],
)
def test_what_is_not_there_is_named(project, arguments, said):
    done = project.plan(*arguments)
    assert done.code == 2
    assert said in done.err


def test_a_project_without_a_program_is_refused(project):
    (project.folder / "__main__.py").unlink()
    done = project.plan()
    assert (done.code, done.err) == (
        2,
        f"lgp: {project.folder} has no __main__.py: programs in Python are planned offline, others by "
        "`pulumi preview`\n",
    )


def test_a_program_leaves_this_process_as_it_was(project, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    before = list(sys.path)
    project.write(
        "import os, sys\nsys.path.append('x')\nos.environ['LEFT'] = 'x'\nprint(os.environ.get('AWS_PROFILE'))"
    )
    assert project.plan().err == "None\n"
    assert os.environ["AWS_PROFILE"] == "mine"
    assert "LEFT" not in os.environ
    assert sys.path == before


def test_no_other_verb_pays_for_pulumi():
    program = (
        "import sys; from lgp.main import build; build([]); "
        "print([m for m in sys.modules if m.partition('.')[0] in ('pulumi', 'grpc', 'yaml')"
        " or m.startswith('lgp.planning')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_pulumi_the_extra_is_named(project, monkeypatch):
    monkeypatch.setattr("lgp.commands.plan.find_spec", lambda name: None if name == "pulumi" else name)
    done = project.plan()
    assert done.code == 1
    assert "lgp: `lgp plan` needs Pulumi's packages: `make setup`" in done.err


def test_make_plan_passes_stack_and_arguments():
    command = ["make", "--dry-run", "plan", "STACK=prod", "ARGS=--diff main"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "exec .venv/bin/python -m lgp plan prod --diff main"
