"""Records what Pulumi's CLI makes of each text of tests/config/pulumi_yaml.json.

    python -m scripts.record_yaml            # tells which texts the CLI on PATH, or the built one, reads otherwise
    python -m scripts.record_yaml --write    # writes the recording anew

A new case needs its text alone: {"text": "..."}.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from l4serve.sandbox.engine import path_with_engine

RECORDING = Path(__file__).parents[1] / "tests" / "config" / "pulumi_yaml.json"
PROJECT, KEY = "gke-llm-serving", "gke-llm-serving:serving"
_STACK = "read"
_OWN_KEY = f"config:\n  {KEY}:"

Case = Mapping[str, Any]


class Cli:
    """The CLI with a project and a backend in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "backend").mkdir()
        (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
        self._environment = kept | {
            "PATH": path_with_engine(),
            "PULUMI_BACKEND_URL": (folder / "backend").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self._run("stack", "init", _STACK).check_returncode()

    @property
    def version(self) -> str:
        """Its release."""
        return self._run("version").stdout.strip()

    def config(self, text: str) -> Mapping[str, Any] | None:
        """The values of a stack file by key; None where it is refused."""
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".yaml") as file:
            file.write(text.encode())
            file.flush()
            done = self._run("config", "--json", "--stack", _STACK, "--config-file", file.name)
        if done.returncode:
            return None
        return {key: _value(entry) for key, entry in json.loads(done.stdout).items()}

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self._folder, env=self._environment, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip


def read_alone(cli: Cli, texts: Sequence[str]) -> list[Case]:
    """The case of each text, in a file of its own."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [_case(text, found) for text, found in zip(texts, pool.map(cli.config, texts), strict=True)]


def read_together(cli: Cli, texts: Sequence[str]) -> list[Case] | None:
    """The cases of texts that stand in one file, each below a key of its own; None where one of them is refused."""
    found = cli.config("config:\n" + "".join(text.replace(_OWN_KEY, _key(n), 1) for n, text in enumerate(texts)))
    if found is None:
        return None
    return [{"text": text, "serving": found[_key(n).strip(" :")]} for n, text in enumerate(texts)]


def same(case: Case, other: Case) -> bool:
    """Whether two cases are one, whole numbers as the CLI lists them: as floats."""
    first, second = (
        json.loads(json.dumps(each), parse_int=lambda digits: int(float(digits))) for each in (case, other)
    )
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def stands_with_others(text: str) -> bool:
    """Whether a text can stand in one file with others."""
    return text.startswith(_OWN_KEY) and "---" not in text


def _key(n: int) -> str:
    return f"  {PROJECT}:n{n}:"


def _value(entry: Mapping[str, Any]) -> Any:
    """A value as the program is handed it: an object as the text that holds it."""
    return json.loads(entry["value"]) if "objectValue" in entry else entry.get("value")


def _case(text: str, found: Mapping[str, Any] | None) -> Case:
    return {"text": text, "refused": True} if found is None else {"text": text, "serving": found.get(KEY)}


def main() -> None:
    """Reads every text anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the recording anew")
    write = parser.parse_args().write
    recorded = json.loads(RECORDING.read_text("utf-8"))["cases"]
    with tempfile.TemporaryDirectory() as folder:
        cli = Cli(Path(folder))
        cases, version = read_alone(cli, [case["text"] for case in recorded]), cli.version
    other = [
        case["text"] for case, before in zip(cases, recorded, strict=True) if json.dumps(case) != json.dumps(before)
    ]
    print(f"Pulumi {version} reads {len(other)} of {len(cases)} texts otherwise", *map(repr, other), sep="\n")
    if write:
        how = "on each text, whole numbers as given; refused where that failed"
        said = f"`pulumi config --json` of Pulumi {version} {how}"
        whole = {"source": said, "date": f"{datetime.now(UTC):%Y-%m-%d}", "cases": cases}
        RECORDING.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    raise SystemExit(0 if write or not other else 1)


if __name__ == "__main__":
    main()
