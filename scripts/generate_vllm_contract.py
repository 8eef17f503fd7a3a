"""Writes l4serve/engines/contracts/vllm-X.json from a vLLM release, read as text and never run.

$ python -m scripts.generate_vllm_contract 0.26.0            # source distribution of that release, by pip's index
$ python -m scripts.generate_vllm_contract 0.26.0 --source DIR-OR-TAR.GZ
$ python -m scripts.generate_vllm_contract 0.26.0 --check    # exit 1 when the file would change
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.contractgen.files import check_or_write, contract_path
from scripts.contractgen.sdist import fetch_sdist, unpack
from scripts.contractgen.source_tree import SourceTree
from scripts.contractgen.vllm_flags import read_flags
from scripts.contractgen.vllm_surface import (
    read_architectures,
    read_batch_defaults,
    read_command,
    read_environment,
    read_metrics,
    read_paths,
)


def vllm_contract(root: Path, version: str, sha256: str | None) -> dict[str, Any]:
    """The contract of one release; `root` is the unpacked source distribution."""
    tree = SourceTree(root)
    source = {"distribution": f"vllm-{version}.tar.gz"}
    return {
        "engine": "vllm",
        "version": version,
        "source": {**source, "sha256": sha256} if sha256 else source,
        "command": read_command(tree),
        "batchDefaults": read_batch_defaults(tree),
        "paths": read_paths(tree),
        "architectures": read_architectures(tree),
        "flags": read_flags(tree),
        "env": read_environment(tree),
        "metrics": read_metrics(tree),
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version")
    parser.add_argument("--source", type=Path, help="an unpacked tree or a .tar.gz instead of a download")
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        source = args.source or fetch_sdist("vllm", args.version, Path(folder))
        root, sha256 = unpack(source, Path(folder))
        contract = vllm_contract(root, args.version, sha256)
    return check_or_write(contract_path("vllm", args.version), contract, check=args.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
