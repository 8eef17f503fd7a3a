"""Where the sandbox keeps its binaries (a cache) and its running clusters (state)."""

import os
from pathlib import Path

from l4serve.sandbox.errors import SandboxError

CACHE_VARIABLE = "L4SERVE_CACHE_DIR"
STATE_VARIABLE = "L4SERVE_STATE_DIR"

SANDBOX_ROOT = Path(__file__).parent
MODULES = SANDBOX_ROOT / "modules"
STAGES = SANDBOX_ROOT / "stages"
CRDS = SANDBOX_ROOT / "crds"


def cache_root() -> Path:
    """Folder of the built binaries: `$L4SERVE_CACHE_DIR`, or `l4serve` in the user's cache folder."""
    return _folder(CACHE_VARIABLE, "XDG_CACHE_HOME", ".cache") / "sandbox"


def state_root() -> Path:
    """Folder of the running sandboxes: `$L4SERVE_STATE_DIR`, or `l4serve` in the user's state folder."""
    return _folder(STATE_VARIABLE, "XDG_STATE_HOME", ".local/state") / "sandbox"


def _folder(own: str, xdg: str, below_home: str) -> Path:
    """Raises SandboxError where the system knows no home for the user that is meant.

    A relative path of the XDG variables counts as none, as their specification asks.
    """
    chosen, base = os.environ.get(own), os.environ.get(xdg)
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        above = Path(base) if base and Path(base).is_absolute() else Path.home() / below_home
        return above / "l4serve"
    except RuntimeError:
        raise SandboxError("The home folder of the user is not known.", remedy=f"set {own} to a folder") from None
