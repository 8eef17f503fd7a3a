"""Updates that are taken back, and states of before: what serves is kept."""

import subprocess
from pathlib import Path
from shlex import split
from typing import Any

import pytest
from kubernetes.client import CoreV1Api

from l4serve.verification.doctor_lock import state_lock
from tests.factories import workload
from tests.pulumi_cli.conftest import ControlPlane, end_space, refusing_webhook
from tests.pulumi_cli.engine import PREFIX, ROOT
from tests.pulumi_cli.test_trouble import ONE, SPACE, running_on, stack, up

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]


def test_the_update_back_after_one_that_failed_keeps_the_token(control_plane: ControlPlane, tmp_path: Path) -> None:
    """The Secret of the first revision is not what the failed update leaves to be deleted."""

    def revised(revision: int) -> dict[str, Any]:
        gated = workload() | {"model": {"id": "google/gemma-2b-it", "gated": True}}
        return {**stack(a=gated), "huggingFace": {"tokenRevision": revision}}

    with up(control_plane, tmp_path, ONE) as engine:
        engine.set_token("hf_token_of_this_test")
        engine.configure(revised(1))
        engine.up()
        engine.configure(revised(2))
        with refusing_webhook(control_plane):
            engine.up(refused=True)
        engine.configure(revised(1))
        engine.up()
        held = CoreV1Api(control_plane.client).list_namespaced_secret(SPACE).items
        assert [secret.metadata.name for secret in held] == ["hf-secret-1"]
        assert all(step.op == "same" for step in engine.preview().steps)


def test_the_update_back_after_a_move_that_failed_keeps_what_serves(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """Objects of another namespace are other resources: the move has not come to the deletion of the old ones."""
    with up(control_plane, tmp_path, ONE) as engine:
        before = running_on(control_plane)
        engine.configure({**ONE, "namespace": f"{SPACE}-b"})
        try:
            with refusing_webhook(control_plane):
                engine.up(refused=True)
            engine.configure(ONE)
            assert {step.op for step in engine.up().steps} == {"delete"}
            assert running_on(control_plane) == before
            assert all(step.op == "same" for step in engine.preview().steps)
        finally:
            end_space(control_plane, f"{SPACE}-b")


def test_a_stack_of_the_names_without_namespace_stays_as_it_is(control_plane: ControlPlane, tmp_path: Path) -> None:
    with up(control_plane, tmp_path, ONE) as engine:
        exported = engine.call("stack", "export").stdout
        older = exported.replace(f"::{SPACE}/", "::").replace(f"::{SPACE}-namespace", "::namespace")
        assert older != exported
        engine.call("stack", "import", stdin=older)
        assert engine.preview().steps == ()
        assert engine.up().steps == ()
        assert engine.call("stack", "export").stdout.count(f"::{SPACE}/") == exported.count(f"::{SPACE}/")


def test_a_state_that_cannot_be_read_since_a_kill_is_mended_as_a_doctor_says(
    control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with up(control_plane, tmp_path, ONE) as engine:
        engine.attributes_file.write_bytes(b"")
        assert "failed to load checkpoint: EOF" in engine.preview(refused=True).output
        monkeypatch.setenv("PULUMI_BACKEND_URL", engine.environment["PULUMI_BACKEND_URL"])
        command, _, _ = state_lock(engine.stack, PREFIX, None, root=ROOT).remedy.partition(";")
        subprocess.run(split(command), check=True)
        assert engine.preview().steps == engine.up().steps == ()
