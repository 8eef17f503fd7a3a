"""A command loads what it uses: the help of all of them no model of the config, planning commands no cloud client."""

import subprocess
import sys

import pytest
from typer.main import get_command

from l4serve.cli.app import app
from l4serve.cli.shell.lazy_group import COMMANDS, load_command
from tests.each_case import each

CLIENTS = {"kubernetes", "pulumi", "pulumi_gcp", "pulumi_kubernetes", "grpc", "openai", "httpx2", "prometheus_client"}
HEAVY = CLIENTS | {"pydantic", "yaml", "packaging", "dateutil"}


def loaded(*commands: str) -> set[str]:
    """The packages that commands leave in memory, run one after the other."""
    code = (
        "import sys; from l4serve.cli.app import app\n"
        "for line in sys.argv[1:]:\n"
        "    try: app(line.split())\n"
        "    except SystemExit: pass\n"
        "print(file=sys.stderr); print('LOADED', *sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *commands], capture_output=True, text=True, check=True)
    return set(done.stderr.rpartition("LOADED ")[2].split())


def test_the_help_loads_no_command() -> None:
    assert loaded("--help") & HEAVY == set()


PLANNING = (
    "plan -s guide",
    "fit --model google/gemma-7b",
    "check -s dev",
    "shapes",
    "contract list",
    "dashboard -s dev",
    "schema",
)


@pytest.mark.slow
def test_planning_commands_load_no_client() -> None:
    found = loaded(*PLANNING)
    assert {"pydantic", "yaml"} <= found, "they ran"
    assert found & CLIENTS == set()


def test_no_client_of_a_server_is_loaded_before_the_server_has_answered() -> None:
    found = loaded("verify --base-url http://127.0.0.1:9 --engine vllm --engine-version 0.26.0")
    assert "httpx2" in found, "it ran"
    assert found & {"openai", "aiohttp", "kubernetes"} == set()


@each(COMMANDS, str)
def test_the_list_of_commands_says_what_each_command_says_of_itself(name: str) -> None:
    own = load_command(name, COMMANDS[name])
    assert own.name == name
    assert own.help


def test_an_unknown_command_is_bad_input() -> None:
    group = get_command(app)
    assert set(group.list_commands(None)) == set(COMMANDS)  # type: ignore[attr-defined]
    assert group.get_command(None, "no-such") is None  # type: ignore[attr-defined]
