"""Writes the keys of vLLM's configurations, such as those of --compilation-config, for every release of its contracts.

$ python -m scripts.generate_config_keys                 # archives by pip's index
$ python -m scripts.generate_config_keys --archives DIR  # vllm-0.26.0.tar.gz or its unpacked folder there
$ python -m scripts.generate_config_keys --check         # exit 1 when the file would change

A release that takes unknown keys in silence has no row for that option.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from l4serve.engines.contract import contract_versions, load_contract
from l4serve.engines.contract_table import CONTRACTS
from scripts.contractgen.config_keys import read_config_keys
from scripts.contractgen.contract_files import Spans, render
from scripts.contractgen.sdist import fetch_archive, stored_archive
from scripts.contractgen.source_tree import SourceTree

PATH = CONTRACTS / "vllm_config_keys.json"


def table(by_release: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Any]:
    """Option to the releases that refuse unknown keys, and key to the releases that take it."""
    spans = Spans(list(by_release))
    options = sorted({option for configs in by_release.values() for option in configs})
    configs = {
        option: {
            "closed": spans.span({release for release, configs in by_release.items() if option in configs}),
            "keys": spans.names({release: configs.get(option, ()) for release, configs in by_release.items()}),
        }
        for option in options
    }
    return {"releases": list(by_release), "configs": configs}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, help="a folder of archives or unpacked ones, instead of downloads")
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    args = parser.parse_args(argv)
    read: dict[str, dict[str, list[str]]] = {}
    for version in contract_versions("vllm"):
        with tempfile.TemporaryDirectory() as folder:
            place = stored_archive("vllm", version, args.archives) if args.archives else None
            archive = fetch_archive("vllm", version, Path(folder)) if place is None else place
            found = read_config_keys(SourceTree(archive.unpack(Path(folder))))
            options = load_contract("vllm", version).flags
            read[version] = {option: keys for option, keys in found.items() if option in options}
    text = render(table(read))
    if not args.check:
        PATH.write_text(text, encoding="utf-8")
        return 0
    same = PATH.is_file() and PATH.read_text(encoding="utf-8") == text
    print(f"{PATH.name}: {'unchanged' if same else 'differs from what the sources give'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
