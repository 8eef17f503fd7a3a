"""Writes releases of TGI into l4serve/engines/contracts/tgi.json, from their published reference and source text.

$ python -m scripts.generate_tgi_contract 3.3.7                # the release's archive
$ python -m scripts.generate_tgi_contract 3.3.7 --trees DIR    # an unpacked tree in DIR/v3.3.7
$ python -m scripts.generate_tgi_contract 3.3.7 --check        # exit 1 when the table would change
"""

import argparse
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from scripts.contractgen.contract_files import check_or_write
from scripts.contractgen.tgi_reference import (
    read_environment,
    read_flags,
    read_image,
    read_metrics,
    read_models,
    read_paths,
    reference,
)

PROJECT = "https://github.com/huggingface/text-generation-inference"


def tgi_contract(root: Path, version: str) -> dict[str, Any]:
    """The contract of one release; `root` is the unpacked repository."""
    flags = read_flags(root)
    return {
        "engine": "tgi",
        "version": version,
        "source": {"reference": f"{PROJECT}/blob/v{version}/{reference(root).relative_to(root)}"},
        "command": None,
        "image": read_image(root),
        "dotted": False,
        "batchDefaults": [],
        "paths": read_paths(root),
        "models": read_models(root),
        "dropped": {},
        "flags": flags,
        "env": read_environment(root, flags),
        "metrics": read_metrics(root),
    }


def _download(version: str, folder: Path) -> Path:
    path = folder / f"tgi-{version}.tar.gz"
    url = f"{PROJECT}/archive/refs/tags/v{version}.tar.gz"
    try:
        with urllib.request.urlopen(url, timeout=600) as answer:
            path.write_bytes(answer.read())
    except OSError as error:
        sys.exit(f"{url} cannot be read: {error}; give unpacked trees by --trees")
    with tarfile.open(path) as archive:
        archive.extractall(folder / "tree", filter="data")
    return next((folder / "tree").iterdir())


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="+")
    parser.add_argument("--trees", type=Path, help="a folder of unpacked releases instead of downloads")
    parser.add_argument("--check", action="store_true", help="compare with the committed table, write nothing")
    args = parser.parse_args(argv)
    made: dict[str, dict[str, Any]] = {}
    for version in args.versions:
        with tempfile.TemporaryDirectory() as folder:
            root = args.trees / f"v{version}" if args.trees else _download(version, Path(folder))
            made[version] = tgi_contract(root, version)
    return check_or_write("tgi", made, check=args.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
