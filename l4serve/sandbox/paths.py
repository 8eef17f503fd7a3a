"""Where the sandbox keeps its binaries (a cache) and its running clusters (state)."""

import os
from pathlib import Path

SANDBOX_ROOT = Path(__file__).parent
MODULES = SANDBOX_ROOT / "modules"
STAGES = SANDBOX_ROOT / "stages"
CRDS = SANDBOX_ROOT / "crds"


def cache_root() -> Path:
    """Folder of the built binaries: `$L4SERVE_CACHE_DIR`, or `l4serve` in the user's cache folder."""
    return _folder("L4SERVE_CACHE_DIR", "XDG_CACHE_HOME", ".cache") / "sandbox"


def state_root() -> Path:
    """Folder of the running sandboxes: `$L4SERVE_STATE_DIR`, or `l4serve` in the user's state folder."""
    return _folder("L4SERVE_STATE_DIR", "XDG_STATE_HOME", ".local/state") / "sandbox"


def _folder(own: str, xdg: str, below_home: str) -> Path:
    if chosen := os.environ.get(own):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get(xdg)
    return (Path(base) if base else Path.home() / below_home) / "l4serve"
