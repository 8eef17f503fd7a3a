"""Asks vLLM's own parser about every command line in a file, and reports where it disagrees with the file.

    check_argv.py CASES.jsonl OUT.json [--dump-flags FLAGS.json]

Each line of the file is {"argv": [...], "accept": true|false, "why": ...}. A command line is accepted when vLLM's
server parser takes it, its check of the parsed arguments passes and AsyncEngineArgs is made of it. Needs the vllm
package, but no GPU (without a driver vLLM is told that it runs on an L4, see simulated_l4.py). FLAGS.json gets every
option of the parser. Exits 1 when a case disagrees.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import simulated_l4


def server_parser() -> Any:
    """The parser behind `vllm serve`."""
    from vllm.entrypoints.openai.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    return make_arg_parser(FlexibleArgumentParser(prog="vllm serve"))


def with_template(argv: list[str]) -> list[str]:
    """The command line with an inline chat template where it names a file of the pod that is not here."""
    name = "--chat-template="
    return [
        f"{name}{{{{ messages }}}}" if arg.startswith(name) and not Path(arg[len(name) :]).exists() else arg
        for arg in argv
    ]


def refusal(parser: Any, argv: list[str]) -> str | None:
    """What vLLM says against a command line, or None when it takes it."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.entrypoints.openai.cli_args import validate_parsed_serve_args

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            parsed = parser.parse_args(with_template(argv))
            parsed.model_tag = getattr(parsed, "model_tag", None)
            validate_parsed_serve_args(parsed)
            AsyncEngineArgs.from_cli_args(parsed)
    except SystemExit:
        lines = said.getvalue().strip().splitlines()
        return next((line for line in reversed(lines) if "error" in line), lines[-1])[:400]
    except Exception as error:  # any exception at this stage ends the server too
        return f"{type(error).__name__}: {str(error)[:400]}"
    return None


def flag_table(parser: Any) -> list[dict[str, Any]]:
    """Every option of the parser as plain values."""
    rows = []
    for action in parser._actions:
        if not action.option_strings:
            continue
        row = {
            "flags": list(action.option_strings),
            "dest": action.dest,
            "kind": type(action).__name__,
            "nargs": action.nargs,
            "choices": None if action.choices is None else [str(choice) for choice in action.choices],
            "default": plain(action.default),
            "type": getattr(action.type, "__name__", None),
            "required": action.required,
        }
        rows.append({key: value for key, value in row.items() if value is not None})
    return sorted(rows, key=lambda row: str(row["flags"]))


def plain(value: Any) -> Any:
    """A default as JSON can hold it; objects by their repr, without an address."""
    try:
        json.dumps(value)
    except TypeError:
        return repr(value).split(" at 0x")[0][:200]
    return value


def judge(parser: Any, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts, and each case on which vLLM and the file disagree."""
    disagreements, refusals = [], []
    for case in cases:
        said = refusal(parser, case["argv"])
        if (said is None) != case["accept"]:
            disagreements.append({**case, "vllm": said or "accepted"})
        elif said is not None:
            refusals.append({"argv": case["argv"][1:], "vllm": said})
    accepted = sum(case["accept"] for case in cases)
    return {
        "cases": len(cases),
        "toAccept": accepted,
        "toRefuse": len(cases) - accepted,
        "disagreements": disagreements,
        "refusals": refusals,
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dump-flags", type=Path)
    arguments = parser.parse_args(argv)
    card = simulated_l4.install_without_driver()
    import vllm

    server = server_parser()
    found = {"engine": "vllm", "engineVersion": vllm.__version__, "card": card}
    if arguments.dump_flags:
        table = {**found, "parser": "vllm serve", "options": flag_table(server)}
        arguments.dump_flags.write_text(json.dumps(table, indent=1) + "\n")
    cases = [json.loads(line) for line in arguments.cases.read_text().splitlines() if line.strip()]
    found |= judge(server, cases)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"{found['cases']} command lines, {len(found['disagreements'])} disagreements")
    return 1 if found["disagreements"] else 0


if __name__ == "__main__":
    os.environ.pop("HF_HUB_OFFLINE", None)  # offline, vLLM would look for the model's files while it parses
    sys.exit(main(sys.argv[1:]))
