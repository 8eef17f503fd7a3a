"""The house keeps its shape: arrows between rooms, empty packages, and what a plan loads."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("benchmarks", "components", "l4serve", "policy", "scripts", "stacks")
MOST_ENTRIES_OF_PLANNING = 10
MOST_MODULES = 36
SLOW_TO_DEFINE = re.compile(r"@dataclass\(frozen=True(?!.*eq=False)")


def test_imports_keep_the_contracts_of_pyproject() -> None:
    lint = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_planning_is_a_room_that_one_can_hold_in_the_head() -> None:
    entries = [
        p.name for p in (ROOT / "l4serve" / "planning").iterdir() if p.name not in ("__pycache__", "__init__.py")
    ]
    assert len(entries) <= MOST_ENTRIES_OF_PLANNING, entries


def test_no_room_has_more_files_than_one_finds_one_in() -> None:
    folders = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_dir()]
    modules = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in modules.items() if count > MOST_MODULES} == {}


@pytest.mark.parametrize(
    "package", [p for name in PACKAGES for p in sorted((ROOT / name).rglob("__init__.py"))], ids=str
)
def test_packages_re_export_nothing(package: Path) -> None:
    body = ast.parse(package.read_text("utf-8")).body
    assert all(isinstance(node, ast.Expr) for node in body)


def test_planning_loads_no_cloud_sdk() -> None:
    program = (
        "import sys; from pathlib import Path; from l4serve.config.stack_file import read_stack_file;"
        "from l4serve.planning.stack.stack_planner import plan_stack;"
        "plan_stack(read_stack_file(Path('Pulumi.guide.yaml')));"
        "print(*sorted(m for m in sys.modules if m.split('.')[0] in"
        " {'pulumi', 'pulumi_gcp', 'pulumi_kubernetes', 'kubernetes', 'grpc', 'openai'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_program_loads_nothing_that_a_preview_leaves_unasked() -> None:
    unasked = ("l4serve.planning.performance", "l4serve.advising", "kubernetes", "pulumi_gcp", "dateutil", "typer")
    program = f"import sys, stacks.serving; print(*(m for m in sys.modules if m.startswith({unasked})))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_values_are_frozen_in_one_way() -> None:
    """The standard library compiles six methods a class, half of what the program took to load."""
    files = [p for name in PACKAGES for p in (ROOT / name).rglob("*.py") if name not in ("benchmarks", "scripts")]
    found = [path.name for path in files for line in path.read_text("utf-8").splitlines() if SLOW_TO_DEFINE.match(line)]
    assert found == [], "write @frozen(...) of l4serve.config.frozen"


def test_the_program_is_at_most_fifteen_lines() -> None:
    assert len((ROOT / "__main__.py").read_text("utf-8").splitlines()) <= 15


OWN_FILES = re.compile(r"(vllm|tgi|openai_api|tgi_api|vllm_api)\.py|engines/(vllm|tgi)")
MOST_LINES = 8


def test_engines_are_named_in_their_own_files_profiles_and_data() -> None:
    folders = [ROOT / name for name in ("l4serve", "components", "stacks", "policy")]
    files = [ROOT / "__main__.py", *(path for folder in folders for path in sorted(folder.rglob("*.py")))]
    lines = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        if not OWN_FILES.search(path.as_posix())
        for line in path.read_text("utf-8").splitlines()
        if re.search(r'"(vllm|tgi)"', line)
    ]
    assert 0 < len(lines) <= MOST_LINES, "\n".join(lines)


def test_every_folder_of_python_has_its_types_checked() -> None:
    checked = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]["files"])
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {path.partition("/")[0] for path in tracked.split()} - checked == {"setup.py"}


def test_what_starts_sandboxes_lies_where_make_test_looks() -> None:
    """`make test` deals these folders out by themselves: elsewhere a marked test would never run."""
    marked = {
        path.relative_to(ROOT / "tests").parts[0]
        for path in (ROOT / "tests").rglob("test_*.py")
        if "mark.sandbox" in path.read_text("utf-8") and path.name != Path(__file__).name
    }
    assert marked <= {"pulumi_cli", "sandbox"}
    commands = (line.strip() for line in (ROOT / "Makefile").read_text("utf-8").splitlines())
    (command,) = (line for line in commands if line.endswith("tests/pulumi_cli tests/sandbox"))
    assert '-m "sandbox and not google_provider"' in command


def test_one_speller_proposes_words() -> None:
    """The catalogue alone compares letters itself: what it weighs is the parts of a model's name."""
    files = [path for path in sorted((ROOT / "l4serve").rglob("*.py")) if "difflib" in path.read_text("utf-8")]
    assert {path.name for path in files} == {"spelling.py", "catalogue.py"}
