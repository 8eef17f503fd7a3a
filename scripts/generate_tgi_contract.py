"""Writes l4serve/engines/contracts/tgi-X.json from a TGI release's published reference and source text.

$ python -m scripts.generate_tgi_contract 3.3.7                 # the release's archive
$ python -m scripts.generate_tgi_contract 3.3.7 --source DIR    # an unpacked tree of that release
$ python -m scripts.generate_tgi_contract 3.3.7 --check         # exit 1 when the file would change
"""

import argparse
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from scripts.contractgen.files import check_or_write, contract_path
from scripts.contractgen.sdist import unpack
from scripts.contractgen.tgi_reference import (
    read_architectures,
    read_environment,
    read_flags,
    read_metrics,
    read_paths,
)

RELEASE = "https://github.com/huggingface/text-generation-inference/archive/refs/tags/v{version}.tar.gz"


def tgi_contract(root: Path, version: str) -> dict[str, Any]:
    """The contract of one release; `root` is the unpacked repository."""
    flags = read_flags(root)
    return {
        "engine": "tgi",
        "version": version,
        "source": {"reference": f"{RELEASE.split('/archive')[0]}/blob/v{version}/docs/source/reference/launcher.md"},
        "command": None,
        "batchDefaults": [],
        "paths": read_paths(root),
        "architectures": read_architectures(root),
        "flags": flags,
        "env": read_environment(root, flags),
        "metrics": read_metrics(root),
    }


def _download(version: str, folder: Path) -> Path:
    path = folder / f"tgi-{version}.tar.gz"
    url = RELEASE.format(version=version)
    try:
        with urllib.request.urlopen(url, timeout=600) as answer:
            path.write_bytes(answer.read())
    except OSError as error:
        sys.exit(f"{url} cannot be read: {error}; give an unpacked tree by --source")
    return path


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version")
    parser.add_argument("--source", type=Path, help="an unpacked tree or a .tar.gz instead of a download")
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        root, _ = unpack(args.source or _download(args.version, Path(folder)), Path(folder))
        contract = tgi_contract(root, args.version)
    return check_or_write(contract_path("tgi", args.version), contract, check=args.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
