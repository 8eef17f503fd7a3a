"""Providers that a killed Pulumi CLI leaves, told from those whose CLI still runs."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from l4serve.verification.stray_providers import stray_findings, stray_providers

PROVIDER = "pulumi-resource-test"


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process named as the CLI with a child named as a provider; both only sleep."""
    for name, program in (("pulumi", "sh"), (PROVIDER, "sleep")):
        found = shutil.which(program)
        assert found is not None
        shutil.copy(Path(found).resolve(), tmp_path / name)
    command = [str(tmp_path / "pulumi"), "-c", f"'{tmp_path / PROVIDER}' 60 & wait"]
    process = subprocess.Popen(command)
    child = await_child(process.pid)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        with suppress(psutil.NoSuchProcess):
            child.kill()


def await_child(pid: int) -> psutil.Process:
    deadline = time.monotonic() + 10
    while not (named := [each for each in psutil.Process(pid).children() if each.name() == PROVIDER]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return named[0]


def strays() -> list[int]:
    return [each.pid for each in stray_providers() if each.name() == PROVIDER]


@pytest.mark.slow
def test_a_provider_is_a_stray_once_its_cli_is_killed(cli: subprocess.Popen[bytes]) -> None:
    provider = await_child(cli.pid)
    assert strays() == []
    cli.kill()
    cli.wait()
    assert strays() == [provider.pid]
    (finding,) = stray_findings()
    assert finding.verdict == "bad"
    assert PROVIDER in finding.text
    assert str(provider.pid) in finding.remedy.removeprefix("kill ").split()
    provider.kill()
    psutil.wait_procs([provider], timeout=10)
    assert strays() == []
