"""Commands of the CLI that are killed in the middle, and what heals their stack."""

import json
import shutil
import subprocess
from collections.abc import Callable

import psutil

from l4serve.planning.stack.pending import adopted, pending_creates
from tests.pulumi_cli.engine import Engine


def killed(command: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Kill a command that awaits a Deployment; what it had started and what outlives it, which is killed as well.

    Pulumi's own provider outlives its CLI by half an hour: only the one that the sandbox builds has to end.
    """
    family = psutil.Process(command.pid).children(recursive=True)
    command.kill()
    command.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=10)
    return [] if shutil.which("pulumi") else alive


def kill_an_update(engine: Engine, moment: Callable[[], object]) -> None:
    """Kill an update at a moment that `moment` awaits, and unlock the stack."""
    update = engine.start("up", "--yes", "--skip-preview")
    try:
        moment()
    finally:
        killed(update)
    unlock(engine)


def unlock(engine: Engine) -> None:
    """After a kill, as `l4serve doctor` says."""
    engine.attributes_file.unlink(missing_ok=True)  # which the kill may have left half written
    engine.call("cancel", "--yes")


def adopt(engine: Engine) -> list[str | None]:
    """Take what was being made into the state and read it again, as `l4serve doctor` says; the ids that it goes by."""
    ids = import_adopted(engine)
    engine.refresh()
    return ids


def import_adopted(engine: Engine) -> list[str | None]:
    """Take what was being made into the state alone, as `l4serve doctor --adopt` does; the ids that it goes by."""
    state = json.loads(engine.call("stack", "export").stdout)
    engine.call("stack", "import", stdin=json.dumps(adopted(state)))
    return [each.import_id for each in pending_creates(state)]
