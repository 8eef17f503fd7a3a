"""Writes releases of vLLM into l4serve/engines/contracts/vllm.json, each read from its archive as text and never run.

What the environment variables may hold goes into vllm_variables.json beside it.

$ python -m scripts.generate_vllm_contract 0.26.0             # the archive by pip's index
$ python -m scripts.generate_vllm_contract --all              # every final release since 0.8.0
$ python -m scripts.generate_vllm_contract 0.26.0 --archives DIR   # vllm-0.26.0.tar.gz or its unpacked folder there
$ python -m scripts.generate_vllm_contract 0.26.0 --check     # exit 1 when the file would change

An archive is the source distribution, or the wheel of a release that has none; a wheel ships no Dockerfile, so what is
known of the image is then taken from the release before.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from packaging.version import Version

from scripts.contractgen.contract_files import Contracts, check_or_write, read_contracts
from scripts.contractgen.env_values import read_values
from scripts.contractgen.sdist import Archive, fetch_archive, releases_of, stored_archive
from scripts.contractgen.source_tree import SourceTree
from scripts.contractgen.vllm_flags import read_flags, reads_dotted_keys
from scripts.contractgen.vllm_image import read_command, read_image
from scripts.contractgen.vllm_models import read_dropped, read_models
from scripts.contractgen.vllm_surface import read_batch_defaults, read_environment, read_metrics, read_paths

OLDEST = "0.8.0"


def vllm_contract(root: Path, version: str) -> dict[str, Any]:
    """The contract of one release without its source; `root` is the unpacked archive. None for what a wheel lacks."""
    tree = SourceTree(root)
    return {
        "engine": "vllm",
        "version": version,
        "command": read_command(root),
        "image": read_image(root),
        "dotted": reads_dotted_keys(tree),
        "batchDefaults": read_batch_defaults(tree),
        "paths": read_paths(tree),
        "models": read_models(tree),
        "dropped": read_dropped(tree),
        "flags": read_flags(tree),
        "env": read_environment(tree),
        "variables": read_values(tree),
        "metrics": read_metrics(tree),
    }


def with_source(contract: dict[str, Any], archive: Archive, known: Contracts) -> dict[str, Any]:
    """The contract with where it was read, and with the image of the release before where the archive says nothing."""
    version = contract["version"]
    source: dict[str, Any] = {"distribution": archive.name, **({"sha256": archive.sha256} if archive.sha256 else {})}
    if not archive.sha256 and version in known:
        source = known[version]["source"]
    if contract["image"] is None:
        before = max((v for v in known if Version(v) < Version(version)), key=Version)
        contract = {**contract, "image": known[before]["image"], "command": known[before]["command"]}
        source = {**source, "imageOf": before}
    return {**contract, "source": source}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*")
    parser.add_argument("--all", action="store_true", help=f"every final release since {OLDEST}")
    parser.add_argument("--archives", type=Path, help="a folder of archives or unpacked ones, instead of downloads")
    parser.add_argument("--check", action="store_true", help="compare with the committed table, write nothing")
    args = parser.parse_args(argv)
    versions = releases_of("vllm", OLDEST) if args.all else args.versions
    if not versions:
        parser.error("name a release, or --all")
    made: dict[str, dict[str, Any]] = {}
    known = read_contracts("vllm")
    for version in sorted(versions, key=Version):
        with tempfile.TemporaryDirectory() as folder:
            place = stored_archive("vllm", version, args.archives) if args.archives else None
            archive = fetch_archive("vllm", version, Path(folder)) if place is None else place
            contract = vllm_contract(archive.unpack(Path(folder)), version)
        made[version] = with_source(contract, archive, {**known, **made})
    return check_or_write("vllm", made, check=args.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
