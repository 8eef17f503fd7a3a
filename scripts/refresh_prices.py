"""Brings machine types and their list prices from a public catalogue into the project's data.

    python -m scripts.refresh_prices --source initial-prices.json --commit SHA --date 2026-08-03
    python -m scripts.refresh_prices --check [--source initial-prices.json]

The catalogue is `pkg/providers/pricing/initial-prices.json` of github.com/cloudpilot-ai/karpenter-provider-gcp, which a
job of that project writes each week from Google's billing API; the date is that of the commit which last changed it.
`--check` needs no network: it holds the committed table against its own digest, and against the file where it is given.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.words import regions
from l4serve.planning.machines import prices

TABLE = Path(prices.__file__).parent / "data" / "catalogue_prices.json"
REGIONS = Path(regions.__file__).parent / "data" / "regions.yaml"
REPOSITORY = "https://github.com/cloudpilot-ai/karpenter-provider-gcp"
FILE = "pkg/providers/pricing/initial-prices.json"
_MOST_TOLD = 5
MOST_USD_PER_HOUR = 10_000
"""Above the price of every machine."""
FIGURES = ("series", "regions")
"""What of the table is the catalogue's."""
SYSTEM_TYPES = tuple(f"e2-standard-{size}" for size in (2, 4, 8, 16, 32))
"""Machine types without cards that a system pool may have."""


def wanted_types() -> tuple[str, ...]:
    """Machine types whose prices the program may ask for: those with cards, hosts of cards, and system machines."""
    table = load_data(prices.__file__, "machine_shapes.yaml")
    hosts = (host["machineType"] for family in table["attachable"] for host in family["hosts"])
    return tuple(sorted({*(shape["machineType"] for shape in table["shapes"]), *hosts, *SYSTEM_TYPES}))


def extract(content: bytes, commit: str, day: str) -> dict[str, Any]:
    """The table of a catalogue's content: USD per hour by region and type, on demand and spot. Raises SourceError."""
    try:
        catalogue = json.loads(content)["prices"]
        types = wanted_types()
        series = series_of(name for markets in catalogue.values() for name in markets["on_demand"])
        table = {
            region: {
                name: [markets["on_demand"][name], markets.get("spot", {}).get(name)]
                for name in types
                if markets.get("on_demand", {}).get(name)
            }
            for region, markets in sorted(catalogue.items())
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SourceError(f"this is not {FILE} of {REPOSITORY}") from None
    if not any(table.values()):
        raise SourceError("the file has no price of a machine that is asked for")
    source = {
        "repository": REPOSITORY,
        "path": FILE,
        "commit": commit,
        "sha256": hashlib.sha256(content).hexdigest(),
        "date": day,
    }
    figures = {"series": series, "regions": table}
    return {"source": source, "digest": digest(figures), "columns": ["on demand", "spot"], **figures}


def series_of(machine_types: Iterable[str]) -> dict[str, list[str]]:
    """Every machine type that is billed, by its series."""
    series: dict[str, list[str]] = {}
    for name in sorted(set(machine_types)):
        series.setdefault(name.partition("-")[0], []).append(name)
    return series


class SourceError(ValueError):
    """A file, commit or day from which no table can be made; the message says why."""


def odd_prices(regions: Mapping[str, Any]) -> list[str]:
    """Prices that no machine has: what is no number above 0, where a spot price may be missing."""
    return [
        f"{region}: {name} costs {price!r} USD per hour, which is no price"
        for region, rows in regions.items()
        for name, row in rows.items()
        for price in (row[0], *([] if row[1] is None else [row[1]]))
        if isinstance(price, bool) or not isinstance(price, int | float) or not 0 < price < MOST_USD_PER_HOUR
    ]


def is_day(text: str) -> bool:
    """Whether it is a day as 2026-08-03."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def refused(table: Mapping[str, Any]) -> list[str]:
    """What is wrong with a table whatever wrote it."""
    source = table["source"]
    found = odd_prices(table["regions"])
    if not is_day(source["date"]):
        found.append(f"the source has no date: {source['date']!r} is no day as 2026-08-03")
    if not re.fullmatch(r"[0-9a-f]{40}", source["commit"]):
        found.append(f"the source has no commit: {source['commit']!r} is not 40 hexadecimal digits")
    return found


def digest(table: Mapping[str, Any]) -> str:
    """SHA-256 of prices and machine types, by which a hand that edits one is found out."""
    figures = {key: table[key] for key in FIGURES}
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()


def text_of(table: Mapping[str, Any]) -> str:
    """The table as it is committed: a line for each series and each region."""
    lines = json.dumps({key: value for key, value in table.items() if key not in FIGURES}, indent=1).removesuffix("\n}")
    for key in FIGURES:
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in table[key].items())
        lines += f',\n "{key}": {{\n{rows}\n }}'
    return f"{lines}\n}}\n"


def regions_text(table: Mapping[str, Any]) -> str:
    """The list of regions, from the same catalogue."""
    source = table["source"]
    return (
        "# Regions of Google Cloud that sell machines. `scripts/refresh_prices.py` writes it.\n"
        f"source: {source['repository']} {source['path']} at {source['commit'][:8]}\n"
        f'date: "{source["date"]}"\n'
        f"regions:\n{''.join(f'  - {name}{chr(10)}' for name in table['regions'])}"
    )


def faults(table: Mapping[str, Any], source: bytes | None) -> list[str]:
    """What is wrong with the committed table."""
    found = []
    if digest(table) != table["digest"]:
        found.append("a figure was changed by hand: the digest is that of another table")
    found += refused(table)
    if REGIONS.read_text("utf-8") != regions_text(table):
        found.append(f"{REGIONS.name} is not that of the table")
    if source is not None:
        if hashlib.sha256(source).hexdigest() != table["source"]["sha256"]:
            found.append("the file is not the one that the table names: another SHA-256")
        else:
            try:
                made = extract(source, table["source"]["commit"], table["source"]["date"])
                found += [] if made == table else ["the table is not what the file gives"]
            except SourceError as error:
                found.append(str(error))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the table or checks it; the exit code is 1 where the check finds a fault, 2 for what no table is of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, help="the catalogue's file")
    parser.add_argument("--commit", help="commit of the catalogue that the file is from, 40 digits")
    parser.add_argument("--date", help="day of the prices, as 2026-08-03")
    parser.add_argument("--check", action="store_true", help="write nothing")
    asked = parser.parse_args(arguments)
    try:
        content = asked.source.read_bytes() if asked.source else None
    except OSError as error:
        parser.error(f"--source {asked.source} cannot be read: {error.strerror}")
    if asked.check:
        found = faults(json.loads(TABLE.read_text("utf-8")), content)
        print("\n".join(found) or "the price table is what its source gives, as far as it was given")
        return 1 if found else 0
    if content is None or not asked.commit or not asked.date:
        parser.error("give --source, --commit and --date, or --check")
    try:
        table = extract(content, asked.commit, asked.date)
    except SourceError as error:
        parser.error(f"--source {asked.source}: {error}")
    if wrong := refused(table):
        parser.error("; ".join(wrong[:_MOST_TOLD]))
    TABLE.write_text(text_of(table), encoding="utf-8")
    REGIONS.write_text(regions_text(table), encoding="utf-8")
    print(f"{len(table['regions'])} regions, {sum(map(len, table['regions'].values()))} prices")
    return 0


if __name__ == "__main__":
    sys.exit(main())
