"""What the action and the pre-commit hooks install: a wheel with one top-level name, which plans stacks of others."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import factories
from tests.stack_cases import ROOT

PARTS = ("l4serve", "stacks", "components", "policy", "setup.py", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, unpacked."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--disable-pip-version-check",
    ]
    subprocess.run([*build, "-w", str(folder), str(source)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "content")
    return folder / "content"


@pytest.mark.slow
def test_a_wheel_has_one_name_that_is_its_own(installed: Path) -> None:
    assert list((installed / "l4serve" / "recipe_files").glob("*.yaml"))
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"l4serve"}


@pytest.mark.slow
def test_it_plans_a_stack_with_a_recipe_outside_a_clone(installed: Path, tmp_path: Path) -> None:
    workloads = {"gemma": {"recipe": "vllm-7b-awq"}}
    file = factories.write_stack(tmp_path, factories.serving(workloads, huggingFace={"existingSecret": "hf"}))
    code = "from l4serve.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "plan", "-f", str(file), "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["workloads"]["gemma"]["recipe"] == "vllm-7b-awq"
