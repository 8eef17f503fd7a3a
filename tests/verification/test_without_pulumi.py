"""A machine without the Pulumi CLI: what is said of a stack whose kubeconfig is its output."""

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
        stack_client(factories.planned(factories.serving()).cluster, "dev", tmp_path)
