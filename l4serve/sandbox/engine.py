"""The Pulumi engine for a machine without one: the CLI and the Kubernetes provider, built as the control plane is."""

import os
import shutil

from l4serve.sandbox.build import ensure_binaries
from l4serve.sandbox.go_modules import ENGINE
from l4serve.sandbox.progress import Progress, silent


def path_with_engine(progress: Progress = silent) -> str:
    """A PATH on which `pulumi` and its Kubernetes provider are found; the built ones come last, so a user's own win.

    Builds nothing where `pulumi` is on PATH: its own plugins go with it. Raises SandboxError as ensure_binaries does.
    """
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("pulumi"):
        return path
    return os.pathsep.join([path, str(ensure_binaries(progress, build=ENGINE))])
