"""Imports point one way, and the planning path stays free of the cloud SDKs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {
    "components/config": {"components.config"},
    "components/engines": {"components.config", "components.engines"},
    "components/planning": {"components.config", "components.engines", "components.planning"},
    "components": {"components.config", "components.engines", "components.planning"},
    "sandbox": {"components.config", "components.planning", "sandbox"},
    "verification": {"components.config", "components.engines", "components.planning", "verification"},
    "stacks": {"components", "stacks"},
}
ROOMS = ("components", "stacks", "cli", "sandbox", "verification", "policy")
PULUMI_ROOMS = {"components", "stacks", "policy"}
PULUMI_FILES = {"cli/recording.py"}


def room(path: Path) -> str:
    relative = path.relative_to(ROOT)
    deep = "/".join(relative.parts[:2])
    return deep if deep in ALLOWED else relative.parts[0]


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


COMPONENT_FILES = sorted((ROOT / "components").glob("*.py"))
INPUT_FILES = {f"components.{p.stem}" for p in COMPONENT_FILES if p.stem.endswith("_inputs")}
COMPONENTS = {f"components.{p.stem}" for p in COMPONENT_FILES} - INPUT_FILES
SOURCES = [p for r in ROOMS for p in sorted((ROOT / r).rglob("*.py"))]


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    here = room(path)
    own = [name for name in imports(path) if name.split(".")[0] in ROOMS]
    if here in ALLOWED:
        allowed = ALLOWED[here] | (INPUT_FILES if here == "components" else set())
        assert [n for n in own if not any(within(n, a) for a in allowed)] == []
    if here == "components":
        assert not COMPONENTS & set(own), "a component file imports another component file"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_edge_imports_pulumi(path: Path) -> None:
    uses = {n for n in imports(path) if n.split(".")[0] in {"pulumi", "pulumi_gcp", "pulumi_kubernetes"}}
    if room(path) not in PULUMI_ROOMS and str(path.relative_to(ROOT)) not in PULUMI_FILES:
        assert not uses


@pytest.mark.parametrize("package", [p for r in ROOMS for p in sorted((ROOT / r).rglob("__init__.py"))], ids=str)
def test_packages_re_export_nothing(package: Path) -> None:
    body = ast.parse(package.read_text("utf-8")).body
    assert all(isinstance(node, ast.Expr) for node in body)


def test_planning_loads_no_cloud_sdk() -> None:
    program = (
        "import sys; from stacks.stack_file import read_stack_file; from stacks.planning import plan;"
        "from pathlib import Path; plan(read_stack_file(Path('Pulumi.guide.yaml')));"
        "print(*sorted(m for m in sys.modules if m.split('.')[0] in"
        " {'pulumi', 'pulumi_gcp', 'pulumi_kubernetes', 'kubernetes', 'grpc', 'openai'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_program_is_at_most_fifteen_lines() -> None:
    assert len((ROOT / "__main__.py").read_text("utf-8").splitlines()) <= 15
