"""Writes command lines for a check against an engine's own parser: what the planner emits, and what it refuses.

    $ python -m scripts.emit_argv_cases --engine-version 0.26.0 --out cases.jsonl

One JSON object a line: `argv` (without the program), `env`, `accept`, and `why` it is there. A refused case is one that
the contract refuses; it must be refused by the parser too.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from l4serve.config.keys.tgi import TgiEngine
from l4serve.config.keys.vllm import VllmEngine
from l4serve.engines.argv import EngineRefusal, Launch, build_launch, check_argv
from l4serve.engines.case import Case
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.contract import Contract, load_contract
from l4serve.engines.releases.flags import Flag
from l4serve.engines.releases.replacements import replacements
from l4serve.engines.releases.resolution import resolve_contract
from l4serve.engines.traits import GpuTraits, ModelTraits
from scripts import engine_samples

MODEL = "Qwen/Qwen2.5-0.5B-Instruct"
L4 = GpuTraits("nvidia-l4", (8, 9))
COMBINATIONS = 300
"""Random combinations of typed fields, besides one case for each sample value."""
_WRONG = {
    "int": "many",
    "float": "half",
    "json": "{not json",
    "json_or_text": "{not json}",
    "json_or_pairs": "{not json",
    "pairs": "image",
    "size": "lots",
    "size_or_auto": "lots",
    "truth": "perhaps",
}
_RIGHT = {"int": "1", "float": "0.5", "str": "text", "size": "1K", "truth": "false"}
"""Values that an option of a type takes."""


def cases(contract: Contract, seed: int, combinations: int = COMBINATIONS) -> Iterator[dict[str, Any]]:
    """Accepted cases first: each sample value alone, then random combinations; then refused ones."""
    samples = engine_samples.VLLM if contract.engine == "vllm" else engine_samples.TGI
    for field, values in samples.items():
        for value in values:
            yield from _accepted({field: value}, contract, f"{field} = {value}")
    chance = random.Random(seed)
    for number in range(combinations):
        fields = chance.sample(sorted(samples), chance.randint(2, 12))
        settings = {field: chance.choice(samples[field]) for field in fields}
        yield from _accepted(settings, contract, f"combination {number}")
    yield from _refused(contract)
    yield from _spelt(contract)


def _spelt(contract: Contract) -> Iterator[dict[str, Any]]:
    """Options in other spellings, taken or refused as the contract says: cut short, key by key, with None."""
    model = f"{contract.model_flag}={MODEL}"
    for argv in (*_cut_short(contract), *_key_by_key(), *_none(contract)):
        problems = check_argv((model, *argv), {}, contract)
        why = problems[0].message if problems else "the parser's own spelling"
        yield {"argv": [model, *argv], "env": {}, "accept": not problems, "why": why}


def _cut_short(contract: Contract) -> Iterator[tuple[str, ...]]:
    """Every seventh option without its last letters, in the two lengths at which it stops to be a word."""
    for flag in sorted(contract.flags.values(), key=lambda flag: flag.name)[::7]:
        right = flag.values[0] if flag.values else _RIGHT.get(flag.type)
        if flag.takes_value and (flag.choices or right is None):
            continue
        value = f"={right}" if flag.takes_value else None
        for cut in (1, 4):
            short = flag.name[:-cut].rstrip("-")
            if len(short) > len("--abc") and contract.flag(short) is None:
                yield (f"{short}{value or ''}",)


def _key_by_key() -> Iterator[tuple[str, ...]]:
    for option, key in (("--limit-mm-per-prompt", "image"), ("--hf-overrides", "alpha"), ("--no-such", "key")):
        yield (f"{option}.{key}=1",)
        yield (f"{option.replace('-', '_').replace('__', '--', 1)}.{key}", "1")


def _none(contract: Contract) -> Iterator[tuple[str, ...]]:
    for flag in contract.flags.values():
        if flag.takes_value and (flag.choices or flag.type in ("int", "float", "size")):
            yield (f"{flag.name}=None",)


def launch(settings: Mapping[str, Any], contract: Contract) -> Launch:
    """What the planner would run with these fields; raises EngineRefusal."""
    model = VllmEngine if contract.engine == "vllm" else TgiEngine
    engine = model.model_validate({**settings, "version": contract.version})
    tensor = settings.get("tensorParallelSize") or settings.get("numShard") or 1
    pipeline = settings.get("pipelineParallelSize") or 1
    layout = GpuLayout(tensor * pipeline, tensor, pipeline)
    return build_launch(
        Case(engine=engine, contract=contract, model=ModelTraits(id=MODEL), gpu=L4, layout=layout, port=8000)
    )


def _accepted(settings: Mapping[str, Any], contract: Contract, why: str) -> Iterator[dict[str, Any]]:
    """The case of these settings, without the fields that this version has no flag for."""
    kept = dict(settings)
    if "toolCallParser" not in kept:
        kept.pop("enableAutoToolChoice", None)  # a rule refuses it long before a command line is built
    while kept:
        try:
            built = launch(kept, contract)
        except EngineRefusal as refusal:
            for problem in refusal.problems:
                kept.pop(problem.path.split(".")[1], None)
            continue
        yield {"argv": list(built.argv), "env": dict(built.env), "accept": True, "why": why}
        return


def _refused(contract: Contract) -> Iterator[dict[str, Any]]:
    model = f"{contract.model_flag}={MODEL}"
    for argv in (*_wrong_names(contract), *_wrong_values(contract)):
        problems = check_argv((model, *argv), {}, contract)
        if problems:
            yield {"argv": [model, *argv], "env": {}, "accept": False, "why": problems[0].message}


def _wrong_names(contract: Contract) -> Iterator[tuple[str, ...]]:
    """Flags of other releases, misspelt ones and unknown ones; none that argparse would take for an abbreviation."""
    removed = [entry.name for entry in replacements() if entry.engine == contract.engine and entry.name[0] == "-"]
    for name in (*removed, "--max-model-length", "--tensor-parallelism", "--quantisation", "--no-such-flag"):
        if contract.flag(name) is None and not any(known.startswith(name) for known in contract.flags):
            yield (f"{name}=1",)


def _wrong_values(contract: Contract) -> Iterator[tuple[str, ...]]:
    for flag in contract.flags.values():
        wrong = _wrong_value(flag)
        if wrong is not None:
            yield (f"{flag.name}={wrong}",)


def _wrong_value(flag: Flag) -> str | None:
    if not flag.takes_value:
        return "true"
    return "no-such-choice" if flag.choices else _WRONG.get(flag.type)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="vllm", choices=["vllm", "tgi"])
    parser.add_argument("--engine-version", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    resolved = resolve_contract(args.engine, args.engine_version)
    contract = load_contract(args.engine, resolved.contract.version)
    found = list(cases(contract, args.seed))
    args.out.write_text("".join(json.dumps(case) + "\n" for case in found), encoding="utf-8")
    accepted = sum(case["accept"] for case in found)
    print(f"{contract.name}: {accepted} command lines to accept, {len(found) - accepted} to refuse")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
