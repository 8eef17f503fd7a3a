"""The steps of the tutorial that need no cloud, in its own words and order."""

import json
import re
import shlex
import urllib.request
from pathlib import Path

import pytest

from l4serve.cli.subjects.stack_options import load_plan
from l4serve.planning.machines.prices import hourly
from tests.cli.terminal import ROOT, run
from tests.verification.conftest import running_engine

STEPS = re.findall(r"^(l4serve (?:init|plan)[^\n#]*)$", (ROOT / "docs" / "tutorial.md").read_text("utf-8"), re.M)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tutorial_makes_a_stack_and_plans_it(project: Path) -> None:
    assert [step.split()[1] for step in STEPS] == ["init", "plan"]
    results = [run(*shlex.split(step)[1:]) for step in STEPS]
    assert [result.exit_code for result in results] == [0, 0], results[-1].output
    assert "planned" in results[-1].stdout
    assert "qwen2-5-1-5b-instruct" in results[-1].stdout


def test_the_names_that_the_tutorial_uses_are_those_of_its_stack(project: Path) -> None:
    run(*shlex.split(STEPS[0])[1:])
    text = (project / "Pulumi.first.yaml").read_text("utf-8")
    page = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    assert "name: llm-first" in text and "get-credentials llm-first" in page
    assert "qwen2-5-1-5b-instruct:" in text and "service/qwen2-5-1-5b-instruct" in page


def test_kubectl_is_sent_to_the_address_that_the_cluster_answers_at(project: Path) -> None:
    """gcloud writes the private address of a control plane that has one, unless it is asked for the DNS name."""
    run(*shlex.split(STEPS[0])[1:])
    managed = load_plan("first", None).cluster.managed
    assert managed and managed.control_plane.kubeconfig_endpoint == "dns"
    pages = [page.read_text("utf-8") for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))]
    asked = [line for page in pages for line in page.splitlines() if line.startswith("gcloud container clusters get-c")]
    assert asked and all("--dns-endpoint" in line for line in asked)


def test_a_pasted_request_waits_for_the_tunnel_that_the_line_before_opens() -> None:
    assert re.search(r"port-forward .*&\ncurl ", PAGE)
    (command,) = re.findall(r"^curl .*?'$", PAGE, re.M | re.S)
    words = shlex.split(command.replace("\\\n", " "))
    assert "--retry-connrefused" in words
    seconds = int(words[words.index("--retry") + 1]) * int(words[words.index("--retry-delay") + 1])
    assert seconds >= 10


def test_a_command_of_pulumi_on_the_stack_comes_once_there_is_one() -> None:
    blocks = [block for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) if "pulumi " in block]
    on_it = re.compile(r"^pulumi (config|preview|up|stack output|destroy)", re.M)
    first = next(index for index, block in enumerate(blocks) if on_it.search(block))
    assert blocks[first].startswith("pulumi stack init first\n")
    told = re.search(r"[^.]*pulumi config set --secret hfToken`", PAGE)
    assert told and "once the next step has made the stack" in told[0]


def test_what_the_end_removes_is_said() -> None:
    end = PAGE[PAGE.index("pulumi stack rm first") :]
    assert "removes `Pulumi.first.yaml`" in end and "--preserve-config" in end


def test_a_stack_to_try_keeps_its_node_and_its_page_says_so(project: Path) -> None:
    run(*shlex.split(STEPS[0])[1:])
    plan = load_plan("first", None)
    assert plan.workloads[0].scale.replicas == 1, "a pod that never goes"
    for text in (PAGE, run("init", "--help").stdout):
        assert "idle" not in text
        assert "until you set replicas: 0 or destroy the stack" in re.sub(r"[\s│`]+", " ", text)


def test_the_cost_that_the_tutorial_tells_is_that_of_the_plan(project: Path) -> None:
    run(*shlex.split(STEPS[0])[1:])
    planned = json.loads(run("plan", "-s", "first", "--json").stdout)["cost"]["planned"]["usdPerHour"]
    told = re.search(r"about ([\d.]+) USD per hour", (ROOT / "docs" / "tutorial.md").read_text("utf-8"))
    assert told and abs(float(told[1]) - planned) <= 0.005


PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")


def test_what_the_components_make_is_held_against_the_roles() -> None:
    """A kind of resource that no row names would be refused to a deployer who has the roles of the page."""
    kinds = set()
    for file in (ROOT / "components").glob("*.py"):
        kinds |= set(re.findall(r"\bgcp\.([a-z]+)\.[A-Z]\w+\(", file.read_text("utf-8")))
    assert kinds >= {"container", "compute", "serviceaccount", "projects"}
    link = r"\[[^\]]+\]\(https://docs\.cloud\.google\.com/[^)]+\)"
    rows = re.findall(rf"^\| `(roles/[\w.]+)` \| (?:`(\w+)`: )?[^|]+ \| {link} \|$", PAGE, re.M)
    assert kinds - {kind for _, kind in rows} == set()
    assert PAGE.count("| `roles/") == len(rows), "each role has Google's page"


def test_the_request_of_the_tutorial_is_answered() -> None:
    """Against a server that answers as vLLM does, with the address of the port-forward replaced by its own."""
    (command,) = re.findall(r"^curl .*?'$", PAGE, re.M | re.S)
    words = shlex.split(command.replace("\\\n", " "))
    body = json.loads(words[words.index("-d") + 1])
    assert body["model"] in STEPS[0], "the model that the stack serves"
    name, value = words[words.index("-H") + 1].split(": ", 1)
    with running_engine("vllm") as base:
        address = words[1].replace("http://127.0.0.1:8000", base)
        # The stand-in answers as many tokens as it is asked for, where a server goes on to the end of its answer.
        asked = json.dumps({**body, "max_tokens": 8}).encode()
        with urllib.request.urlopen(urllib.request.Request(address, asked, {name: value}), timeout=20) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"]


def test_the_apis_are_turned_on_before_a_command_asks_them() -> None:
    assert 0 < PAGE.index("gcloud services enable compute.googleapis.com") < PAGE.index("gcloud compute ")


def test_what_a_spot_node_costs_in_the_tour_is_what_its_prices_say() -> None:
    text = " ".join((ROOT / "docs" / "tour.md").read_text("utf-8").split())
    told = re.search(r"(\d+) % of the price for the (\S+) of this page in (\S+)\.", text)
    assert told
    spot, usual = (hourly(told[2], region=told[3], market=market) for market in ("spot", "on-demand"))
    assert spot and usual
    assert round(100 * spot.usd_per_hour / usual.usd_per_hour) == int(told[1])
