"""The engines and clusters that the commands talk to are those of the checks' own tests."""

import pytest

from l4serve.verification import stray_providers
from tests.verification.conftest import *  # noqa: F403 - fixtures


@pytest.fixture(autouse=True)
def no_strays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others left running on this machine, such as the engine's tests, is beside what a command says."""
    monkeypatch.setattr(stray_providers, "stray_providers", lambda: ())
