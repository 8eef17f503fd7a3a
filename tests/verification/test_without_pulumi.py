"""A machine without the Pulumi CLI, or with one that is broken: what a kubeconfig that is its output comes to."""

import shutil
from pathlib import Path

import pytest

from l4serve.verification.cluster_access import AccessError, stack_client
from tests import factories


def test_the_remedy_is_one_that_every_command_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nowhere(_name: str) -> None:
        return None

    monkeypatch.setattr(shutil, "which", nowhere)
    with pytest.raises(AccessError, match=r"fix: install the Pulumi CLI$"):
        stack_client(factories.planned(factories.serving()).cluster, "dev", tmp_path, trusted=True)


def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(content)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_a_pulumi_that_is_no_program_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pulumi(tmp_path, monkeypatch, "#!/nowhere/interpreter\n")
    with pytest.raises(AccessError, match="pulumi cannot be run"):
        stack_client(factories.planned(factories.serving()).cluster, "dev", tmp_path, trusted=True)


@pytest.mark.parametrize(
    "output", ["2024-02-30: x", "[[[", "a: 2024-02-30", "clusters: {a: 1}", "users: 5", "[" * 3000]
)
def test_an_output_that_is_no_kubeconfig_is_told(output: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pulumi(tmp_path, monkeypatch, f"#!/bin/sh\necho '{output}'\n")
    with pytest.raises(AccessError, match="is not a kubeconfig that this machine can use"):
        stack_client(factories.planned(factories.serving()).cluster, "dev", tmp_path, trusted=True)
