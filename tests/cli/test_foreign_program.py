"""Only the program of this installation runs, whatever the working directory and the stack file's folder hold."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack_cases import ROOT


@pytest.mark.slow
def test_the_program_of_another_folder_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "stacks").mkdir()
    for name in ("__main__.py", "stacks/serving.py", "stacks/__init__.py"):
        (tmp_path / name).write_text(f"open({str(mark)!r}, 'w')\n", encoding="utf-8")
    (tmp_path / "Pulumi.yaml").write_text("name: other\nruntime: python\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_bytes((ROOT / "Pulumi.dev.yaml").read_bytes())
    command = f"import sys; sys.path.append({str(ROOT)!r}); from l4serve.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "render", "-f", "Pulumi.dev.yaml", "--out", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert not mark.exists()
    assert (tmp_path / "out" / "cloud.json").is_file()
