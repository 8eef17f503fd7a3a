"""What is built for the sandbox: which Go commands of which pinned modules, and the key of the result."""

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from l4serve.config.frozen import frozen
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.paths import MODULES


@frozen(kw_only=True)
class GoModule:
    """One pinned module and the one binary that comes of it."""

    folder: Path
    """Where its go.mod and go.sum are, and its main.go where the main package is the project's own."""
    package: str = "."
    """Import path of the main package; `.` is the one in `folder`."""
    commands: tuple[str, ...]
    """Names that the binary is started by. A binary of more than one tells by its name which of them it is."""
    main_module: str
    """Module whose pinned version is the version of all."""
    stamps: Mapping[str, str] = field(default_factory=dict)
    """Go variables that tell the binary its version; {version}, {major} and {minor} stand for the pinned one's."""

    @property
    def version(self) -> str:
        """The pinned version of the main module, such as v1.37.2."""
        pinned = re.search(rf"^\s*(?:require )?{re.escape(self.main_module)} (v\S+)", self._go_mod(), re.MULTILINE)
        if pinned is None:
            raise SandboxError(
                f"{self.folder / 'go.mod'} does not pin {self.main_module}.",
                remedy="restore l4serve/sandbox/modules from git",
            )
        return pinned.group(1)

    @property
    def ldflags(self) -> str:
        """Linker flags: no debug tables, and the version where the binary must be told."""
        major, minor, _ = self.version.removeprefix("v").split(".", 2)
        values = {
            name: value.format(version=self.version, major=major, minor=minor) for name, value in self.stamps.items()
        }
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in values.items())])

    def pinned_text(self) -> str:
        """All that decides what is built: module files, our own sources, the package and the linker flags."""
        sources = [path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.go"))]
        go_sum = (self.folder / "go.sum").read_text(encoding="utf-8")
        return "\n".join([self._go_mod(), go_sum, *sources, self.package, repr(self.commands), self.ldflags])

    def _go_mod(self) -> str:
        return (self.folder / "go.mod").read_text(encoding="utf-8")


@frozen(kw_only=True)
class GoBuild:
    """Binaries that are built together into one folder of the cache."""

    name: str
    """What a person calls them."""
    modules: tuple[GoModule, ...]
    free_bytes_needed: int
    """What a cold build takes in Go's build and module caches and in the cache, with room to spare."""

    @property
    def key(self) -> str:
        """Name of the build's folder: the first module's version and a hash of all pins and of the platform."""
        digest = hashlib.sha256(f"{platform.system()} {platform.machine()}\n".encode())
        for module in self.modules:
            digest.update(module.pinned_text().encode())
        first = self.modules[0]
        return f"{first.folder.name}-{first.version}-{digest.hexdigest()[:16]}"


CONTROL_PLANE = GoBuild(
    name="the control plane",
    modules=(
        GoModule(
            folder=MODULES / "control-plane",
            commands=("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"),
            main_module="k8s.io/kubernetes",
            stamps={
                "k8s.io/component-base/version.gitVersion": "{version}",
                "k8s.io/component-base/version.gitMajor": "{major}",
                "k8s.io/component-base/version.gitMinor": "{minor}",
                "k8s.io/component-base/version.gitTreeState": "clean",
            },
        ),
    ),
    free_bytes_needed=7 * 2**30,
)
_ENGINE = MODULES / "engine"
"""One module of both, at the release of the engine that the provider is made with: what they share compiles once."""
ENGINE = GoBuild(
    name="the Pulumi engine",
    modules=(
        GoModule(
            folder=_ENGINE,
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            commands=("pulumi",),
            main_module="github.com/pulumi/pulumi/pkg/v3",
            stamps={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "{version}"},
        ),
        GoModule(
            folder=_ENGINE,
            commands=("pulumi-resource-kubernetes",),
            main_module="github.com/pulumi/pulumi-kubernetes/provider/v4",
        ),
    ),
    free_bytes_needed=7 * 2**30,
)
LINTERS = GoBuild(
    name="the linter of manifests",
    modules=(
        GoModule(
            folder=MODULES / "linters",
            package="github.com/zegl/kube-score/cmd/kube-score",
            commands=("kube-score",),
            main_module="github.com/zegl/kube-score",
            stamps={"main.version": "{version}"},
        ),
    ),
    free_bytes_needed=2**30,
)
"""Built for its test alone."""
GO_BUILDS = (CONTROL_PLANE, ENGINE, LINTERS)


def kubernetes_version() -> str:
    """The version that the sandbox's API server reports."""
    return CONTROL_PLANE.modules[0].version
