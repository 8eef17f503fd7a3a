"""A rendered container as a process: its own mounts, a read-only root, its user, groups and no capability."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENTRYPOINT = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve"]
"""What stands for `vllm serve`, the image's ENTRYPOINT."""
KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH")
"""Variables of the machine that stand for the image's own."""
POD_PARTS = "securityContext", "volumes", "terminationGracePeriodSeconds"
CONTAINER_PARTS = (
    *("command", "args", "env", "securityContext", "volumeMounts", "lifecycle"),
    *("startupProbe", "readinessProbe", "livenessProbe"),
)


def carried_out(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What a start carries out of a pod's manifest: a finding holds for pods that are the same in this."""
    container = spec["containers"][0]
    return {
        "pod": {part: spec[part] for part in POD_PARTS if part in spec},
        "container": {part: container[part] for part in CONTAINER_PARTS if part in container},
    }


@dataclass
class Pod:
    """A running container of a pod, as far as a machine without a kubelet can have one."""

    spec: dict[str, Any]
    container: dict[str, Any]
    argv: list[str]
    env: dict[str, str]
    user: str
    mounts: list[str]
    read_only: bool
    served_model: str
    url: str
    log: Path
    process: subprocess.Popen[bytes]
    enter: list[str]

    @property
    def ended(self) -> int | None:
        """The container's exit code; None while it runs."""
        return self.process.poll()

    def execute(self, command: list[str], timeout: float) -> int:
        """Runs a command as the container's user in its environment; gives its exit code, 124 at the time-out."""
        try:
            return subprocess.run([*self.enter, *command], env=self.env, timeout=timeout, check=False).returncode
        except subprocess.TimeoutExpired:
            return 124

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the container's first process, as a kubelet does."""
        self.process.send_signal(number)

    def wait(self, seconds: float) -> int | None:
        """The exit code within so many seconds, else None after SIGKILL."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self) -> None:
        """Ends whatever still runs of the container."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


def start(
    deployment: dict[str, Any],
    model: Path,
    secrets: Mapping[str, str],
    extra_env: dict[str, str],
    out: Path,
    *,
    files: Mapping[str, Path],
) -> Pod:
    """Starts the deployment's first container. `secrets` and the `files` of mounted Secrets are by `NAME/KEY`."""
    spec = deployment["spec"]["template"]["spec"]
    container = spec["containers"][0]
    security = {**spec.get("securityContext", {}), **container.get("securityContext", {})}
    argv = _argv(container, model)
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= extra_env | _environment(container, secrets)
    mounts = _mounts(spec, container)
    root = tempfile.mkdtemp(prefix="pod-root-")
    inside = _as_user(security)
    script = _mount_script(root, mounts, bool(security.get("readOnlyRootFilesystem")), files)
    log = out.with_suffix(".log")
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "pod", *inside, *argv]
    process = subprocess.Popen(
        command, env=env, stdout=log.open("wb"), stderr=subprocess.STDOUT, start_new_session=True
    )
    port = next((p["containerPort"] for p in container.get("ports", []) if "containerPort" in p), 8000)
    scheme = container.get("startupProbe", {}).get("httpGet", {}).get("scheme", "HTTP").lower()
    named = [a.split("=", 1)[1] for a in argv if a.startswith("--served-model-name=")]
    return Pod(
        spec=spec,
        container=container,
        argv=argv,
        env=env,
        user=f"{security.get('runAsUser', 'root')}:{security.get('runAsGroup', 'root')}",
        mounts=[path for path, _ in mounts],
        read_only=bool(security.get("readOnlyRootFilesystem")),
        served_model=named[0] if named else str(model),
        url=f"{scheme}://127.0.0.1:{port}",
        log=log,
        process=process,
        enter=["nsenter", "--mount", f"--target={process.pid}", *inside],
    )


def _argv(container: dict[str, Any], model: Path) -> list[str]:
    """The container's command line, the model replaced by its stand-in."""
    command = container.get("command") or ["vllm", "serve"]
    if command == ["vllm", "serve"]:
        command = ENTRYPOINT
    given = [sys.executable if a in ("python3", "python") else a for a in command]
    return [*given, *(f"--model={model}" if a.startswith("--model=") else a for a in container.get("args", []))]


def _environment(container: dict[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for variable in container.get("env", []):
        if "value" in variable:
            found[variable["name"]] = str(variable["value"])
            continue
        reference = variable.get("valueFrom", {}).get("secretKeyRef")
        if reference is None:
            continue
        value = secrets.get(f"{reference['name']}/{reference['key']}")
        if value is not None:
            found[variable["name"]] = value
    return found


def _mounts(spec: dict[str, Any], container: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Paths of the container's mounts of its own folders and of Secrets, outer ones first, with their volumes."""
    volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
    mounted = [(m["mountPath"], volumes[m["name"]]) for m in container.get("volumeMounts", [])]
    return sorted((path, volume) for path, volume in mounted if {"emptyDir", "secret"} & set(volume))


def _as_user(security: dict[str, Any]) -> list[str]:
    """The command that drops to the manifest's user, groups and capabilities."""
    if "runAsUser" not in security:
        return []
    user, group = security["runAsUser"], security.get("runAsGroup", security["runAsUser"])
    groups = ",".join(str(g) for g in {group, security.get("fsGroup", group)})
    command = ["setpriv", f"--reuid={user}", f"--regid={group}", f"--groups={groups}"]
    if not security.get("allowPrivilegeEscalation", True):
        command.append("--no-new-privs")
    if "ALL" in security.get("capabilities", {}).get("drop", []):
        command += ["--bounding-set=-all", "--inh-caps=-all"]
    return [*command, "--"]


def _mount_script(root: str, mounts: list[tuple[str, Any]], read_only: bool, files: Mapping[str, Path]) -> str:
    """Shell that makes the container's view of files and then becomes the container.

    Mount points are made beforehand; a file system in memory stands for every emptyDir, open to all as a kubelet's is,
    and for a Secret's, read-only.
    """
    for path, _ in mounts:
        Path(path).mkdir(parents=True, exist_ok=True)
    quoted = shlex.quote(root)
    lines = [f"mount --rbind / {quoted}"]
    if read_only:
        lines.append(f"mount -o remount,ro,bind {quoted}")
        # Mounts below the root stay writable when it is not: those of the machine that a container would lack.
        lines += [
            f"for m in /tmp /var /home /root; do mount --bind {quoted}$m {quoted}$m 2>/dev/null || continue; "
            f"mount -o remount,ro,bind {quoted}$m; done"
        ]
    for path, volume in mounts:
        size = volume.get("emptyDir", {}).get("sizeLimit", "16Gi").replace("i", "").lower()
        inside = shlex.quote(root + os.path.realpath(path))
        lines.append(f"mount -t tmpfs -o size={size},mode=0777 tmpfs {inside}")
        if "secret" in volume:
            lines += _filled(inside, volume["secret"]["secretName"], files)
    lines.append(f'exec chroot {quoted} "$@"')
    return "\n".join(lines)


def _filled(inside: str, secret: str, files: Mapping[str, Path]) -> list[str]:
    """Shell that puts a Secret's files into its mount."""
    held = {name.split("/", 1)[1]: path for name, path in files.items() if name.startswith(f"{secret}/")}
    if not held:
        raise ValueError(f"Secret {secret} is mounted: give its files")
    copies = [f"install -m 0444 {shlex.quote(str(path))} {inside}/{shlex.quote(key)}" for key, path in held.items()]
    return [*copies, f"mount -o remount,ro {inside}"]
