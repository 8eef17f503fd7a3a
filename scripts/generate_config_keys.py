"""Writes what vLLM's configurations take, such as --compilation-config, for every release of its contracts.

$ python -m scripts.generate_config_keys                 # archives by pip's index
$ python -m scripts.generate_config_keys --archives DIR  # vllm-0.26.0.tar.gz or its unpacked folder there
$ python -m scripts.generate_config_keys --check         # exit 1 when the file would change

`configs` has a row for each option that is a configuration (and for each configuration in it, behind a dot): the
releases that refuse unknown keys, and each key's words for its values (`scripts/contractgen/config_types.py`). `plain`
has the words for options whose class looks at more than the parser does.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l4serve.engines.releases.contract import contract_versions, load_contract
from l4serve.engines.releases.contract_table import CONTRACTS
from scripts.contractgen.config_keys import Taken, read_config_keys, read_plain_values
from scripts.contractgen.contract_files import Spans, render
from scripts.contractgen.sdist import fetch_archive, stored_archive
from scripts.contractgen.source_tree import SourceTree

PATH = CONTRACTS / "vllm_config_keys.json"


@dataclass(frozen=True)
class Read:
    """What was read of one release."""

    configs: Mapping[str, Taken]
    plain: Mapping[str, str]


def table(by_release: Mapping[str, Read]) -> dict[str, Any]:
    """Spans of releases: of those that refuse unknown keys, and of each word for the values of a key or an option."""
    spans = Spans(list(by_release))
    options = sorted({option for read in by_release.values() for option in read.configs})
    configs = {}
    for option in options:
        rows = {release: read.configs[option] for release, read in by_release.items() if option in read.configs}
        configs[option] = {
            "closed": spans.span({release for release, taken in rows.items() if taken.closed}),
            "keys": spans.rows({release: taken.values for release, taken in rows.items()}),
        }
    return {
        "releases": list(by_release),
        "configs": configs,
        "plain": spans.rows({release: read.plain for release, read in by_release.items()}),
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, help="a folder of archives or unpacked ones, instead of downloads")
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    args = parser.parse_args(argv)
    read: dict[str, Read] = {}
    for version in contract_versions("vllm"):
        with tempfile.TemporaryDirectory() as folder:
            place = stored_archive("vllm", version, args.archives) if args.archives else None
            archive = fetch_archive("vllm", version, Path(folder)) if place is None else place
            tree = SourceTree(archive.unpack(Path(folder)))
            options = load_contract("vllm", version).flags
            configs = {o: taken for o, taken in read_config_keys(tree).items() if o.partition(".")[0] in options}
            plain = {o: word for o, word in read_plain_values(tree).items() if o in options and o not in configs}
            read[version] = Read(configs, plain)
    text = render(table(read))
    if not args.check:
        PATH.write_text(text, encoding="utf-8")
        return 0
    same = PATH.is_file() and PATH.read_text(encoding="utf-8") == text
    print(f"{PATH.name}: {'unchanged' if same else 'differs from what the sources give'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
