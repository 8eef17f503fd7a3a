"""Records what a real vLLM's own parser registers, and how it takes given command lines. Needs that vLLM, no GPU.

Run it by a Python that has vLLM and what it depends on; a source tree of another release may stand before it:

    $ python scripts/observe_parser.py --out tests/engines/observed/vllm-0.26.0.json --cases cases.jsonl
    $ PYTHONPATH=vllm-0.33.0 python scripts/observe_parser.py --out tests/engines/observed/vllm-0.33.0.json

`cases.jsonl` comes from `scripts/emit_argv_cases.py`; the exit status is 1 when the parser takes one otherwise.
"""

import argparse
import contextlib
import importlib
import io
import json
import sys
from pathlib import Path
from typing import Any


def real_parser() -> argparse.ArgumentParser:
    """The parser of the OpenAI-compatible server, built with a stand-in for the platform, which has no device here."""
    platforms: Any = importlib.import_module("vllm.platforms")
    interface: Any = importlib.import_module("vllm.platforms.interface")

    class NoDevice(interface.UnspecifiedPlatform):  # type: ignore[misc]
        device_type = "cuda"
        device_name = "cuda"

    platforms._current_platform = NoDevice()
    arguments = _first(*(f"vllm.entrypoints.{place}.cli_args" for place in ("common", "launchers", "openai")))
    utilities = _first("vllm.utils.argparse_utils", "vllm.utils")
    parser: argparse.ArgumentParser = arguments.make_arg_parser(utilities.FlexibleArgumentParser())
    return parser


def _first(*names: str) -> Any:
    """The first of several modules that can be imported; of none, why: a release that lacks one has another."""
    reasons = []
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            reasons.append(f"{name}: {error}")
    raise SystemExit("none of these can be imported:\n" + "\n".join(reasons))


def observe(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Every option string, with its action, count and choices."""
    return {
        option: {
            "action": type(action).__name__,
            "nargs": action.nargs,
            "choices": sorted(map(str, action.choices)) if action.choices else None,
        }
        for option, action in sorted(parser._option_string_actions.items())
        if option not in ("-h", "--help")
    }


def disagreements(parser: argparse.ArgumentParser, cases: Path) -> list[str]:
    """Command lines that the parser takes otherwise than the contract says."""
    found = []
    for line in cases.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                parser.parse_args(case["argv"])
            taken = True
        except (SystemExit, Exception) as error:  # whatever the parser raises ends the server
            taken = False
            said.write(str(error))
        if taken != case["accept"]:
            found.append(f"{'taken' if taken else 'refused'}: {case['argv']} ({said.getvalue().strip()[-200:]})")
    return found


def main(argv: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--cases", type=Path)
    args = options.parse_args(argv)
    parser = real_parser()
    seen = observe(parser)
    lines = (f"{json.dumps(option)}: {json.dumps(entry)}" for option, entry in seen.items())
    args.out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    wrong = disagreements(parser, args.cases) if args.cases else []
    print(f"{len(seen)} option strings; {len(wrong)} command lines taken otherwise")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
