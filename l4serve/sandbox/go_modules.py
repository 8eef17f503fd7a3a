"""What is built for the sandbox: which Go packages of which pinned modules, and the key of the result."""

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.paths import MODULES

KUBERNETES_MODULE = "k8s.io/kubernetes"


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """One pinned module and the binaries that come of it."""

    folder: Path
    """Where its go.mod and go.sum are."""
    binaries: Mapping[str, str]
    """Import path of the main package, by the name of the binary."""
    version_package: str | None = None
    """Go package that holds the version which the binaries report; None where they know it themselves."""
    main_module: str
    """Module whose pinned version is that version."""

    @property
    def version(self) -> str:
        """The pinned version of the main module, such as v1.37.2."""
        pinned = re.search(rf"^\s*(?:require )?{re.escape(self.main_module)} (v\S+)", self._go_mod(), re.MULTILINE)
        if pinned is None:
            raise SandboxError(
                f"{self.folder / 'go.mod'} does not pin {self.main_module}.",
                remedy="restore sandbox/modules from git",
            )
        return pinned.group(1)

    @property
    def ldflags(self) -> str:
        """Linker flags: no debug tables, and the version where the binaries must be told."""
        flags = ["-s", "-w"]
        if self.version_package:
            major, minor, _ = self.version.removeprefix("v").split(".", 2)
            stamped = {
                "gitVersion": self.version,
                "gitMajor": major,
                "gitMinor": minor,
                "gitTreeState": "clean",
            }
            flags += [f"-X {self.version_package}.{name}={value}" for name, value in stamped.items()]
        return " ".join(flags)

    def pinned_text(self) -> str:
        """All that decides what is built: both module files, the packages and the linker flags."""
        go_sum = (self.folder / "go.sum").read_text(encoding="utf-8")
        return "\n".join([self._go_mod(), go_sum, repr(sorted(self.binaries.items())), self.ldflags])

    def _go_mod(self) -> str:
        return (self.folder / "go.mod").read_text(encoding="utf-8")


GO_MODULES = (
    GoModule(
        folder=MODULES / "etcd",
        binaries={"etcd": "go.etcd.io/etcd/server/v3"},
        main_module="go.etcd.io/etcd/server/v3",
    ),
    GoModule(
        folder=MODULES / "kwok",
        binaries={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
        main_module="sigs.k8s.io/kwok",
    ),
    GoModule(
        folder=MODULES / "kubernetes",
        binaries={
            name: f"{KUBERNETES_MODULE}/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        },
        version_package="k8s.io/component-base/version",
        main_module=KUBERNETES_MODULE,
    ),
)


def kubernetes_version() -> str:
    """The version that the sandbox's API server reports."""
    return next(module.version for module in GO_MODULES if module.main_module == KUBERNETES_MODULE)


def build_key(modules: tuple[GoModule, ...] = GO_MODULES) -> str:
    """Name of the folder of this build: the Kubernetes version and a hash of all pins and of the platform."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()}\n".encode())
    for module in modules:
        digest.update(module.pinned_text().encode())
    return f"{kubernetes_version()}-{digest.hexdigest()[:16]}"
