"""Copies definitions of kinds from pinned Go modules for the sandbox, without their prose.

`python -m scripts.copy_definitions` writes l4serve/sandbox/crds anew, with `--check` it says which file differs. The
modules and their checksums are those of l4serve/sandbox/modules/definitions; Go fetches them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from l4serve.sandbox.paths import CRDS, MODULES

PINS = MODULES / "definitions"
COPIED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "sigs.k8s.io/gateway-api": (
        "config/crd/standard/gateway.networking.k8s.io_{}.yaml",
        ("gatewayclasses", "gateways", "httproutes"),
    ),
    "sigs.k8s.io/gateway-api-inference-extension": (
        "config/crd/bases/inference.networking.k8s.io_{}.yaml",
        ("inferencepools",),
    ),
    "github.com/GoogleCloudPlatform/prometheus-engine": (
        "charts/operator/crds/monitoring.googleapis.com_{}.yaml",
        ("podmonitorings", "rules"),
    ),
}
"""By module, the path of a definition in it and the plural names of the kinds that are copied."""


def definitions() -> Iterator[tuple[Path, str]]:
    """Each file to write, with its text. Raises CalledProcessError where Go cannot fetch a module."""
    for module, (pattern, plurals) in COPIED.items():
        found = _downloaded(module)
        for plural in plurals:
            source = pattern.format(plural)
            document = yaml.safe_load((Path(found["Dir"]) / source).read_text(encoding="utf-8"))
            text = yaml.safe_dump(without_prose(document), sort_keys=False, width=200)
            head = f"# {module} {found['Version']}, {source}: copied by scripts/copy_definitions.py\n"
            yield CRDS / f"{plural}.yaml", head + text


def without_prose(value: Any) -> Any:
    """A definition without the descriptions of its fields, which the API server does not read."""
    if isinstance(value, dict):
        # A field may be named description: its schema is a mapping, and a description is text.
        kept = {key: each for key, each in value.items() if key != "description" or isinstance(each, dict)}
        return {key: without_prose(each) for key, each in kept.items()}
    return [without_prose(each) for each in value] if isinstance(value, list) else value


def _downloaded(module: str) -> Mapping[str, str]:
    """Folder and version of a module that go.mod pins; Go holds it against go.sum."""
    told = subprocess.run(
        ["go", "mod", "download", "-json", module], cwd=PINS, check=True, stdout=subprocess.PIPE, text=True
    )
    found: Mapping[str, str] = json.loads(told.stdout)
    return found


def main() -> int:
    """Writes the files, or says which differ: exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and end with 1 where a file differs")
    check = parser.parse_args().check
    differing = 0
    for path, text in definitions():
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                differing += 1
                print(f"{path.name} differs", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(path.name)
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
