"""Holds the judgement against what people really deploy: `field_cases/cases.jsonl`, each with its source.

    python -m benchmarks.field            # by kind, and every case that came out otherwise
    python -m benchmarks.field --kind kubeai --verbose

A case is a stack's serving object and what is right: planned, refused, or either with a remedy. Manifests that their
authors publish as working are right when they are planned with their memory judged; what is planned without, because
nobody described the model, is counted apart. Exits 1 below 95 % right of the rest.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.stack_planner import plan_stack

FOLDER = Path(__file__).parent / "field_cases"
GOAL = 0.95


@dataclass(frozen=True)
class Outcome:
    """What planning made of a case."""

    planned: bool
    text: str
    """Refusals with their remedies, or the plan as JSON with its notes."""
    plan: Mapping[str, Any]
    """The plan as JSON, without speeds; empty where it was refused."""


def cases() -> Iterator[dict[str, Any]]:
    """Every case, in the order of the file."""
    for line in (FOLDER / "cases.jsonl").read_text("utf-8").splitlines():
        yield json.loads(line)


def outcome_of(case: Mapping[str, Any]) -> Outcome:
    """What planning says of a case's stack."""
    config = {"gcp:project": "my-project", SERVING_KEY: case["serving"]}
    try:
        plan = stack_json(plan_stack(parse_stack("field", config, base=FOLDER)), speed=False)
    except ConfigError as error:
        told = (f"{p.path}: {p.message}; fix: {p.remedy or ''}" for p in error.problems)
        return Outcome(planned=False, text="\n".join(told), plan={})
    return Outcome(planned=True, text=json.dumps(plan, indent=1), plan=plan)


def fault(case: Mapping[str, Any], found: Outcome) -> str | None:
    """What is wrong with the outcome of a case; None where it is right."""
    expect = case["expect"]
    wanted = expect["outcome"]
    if wanted != "either" and found.planned != (wanted == "planned"):
        return f"{'planned' if found.planned else 'refused'}, not {wanted}: {_first(found)}"
    if (says := expect.get("says")) and says not in found.text:
        return f"does not say {says!r}: {_first(found)}"
    if (never := expect.get("never")) and never in found.text:
        return f"says {never!r}"
    return _figures(expect, found) if found.planned else None


def is_judged(found: Outcome) -> bool:
    """Whether the memory of some workload of a plan was judged; a refusal is a judgement."""
    return not found.planned or any(w["fit"] is not None for w in found.plan["workloads"].values())


def _figures(expect: Mapping[str, Any], found: Outcome) -> str | None:
    workloads = found.plan["workloads"].values()
    if (least := expect.get("diskGib")) and not any(_gib(w) >= least for w in workloads):
        return f"asks for {max(map(_gib, workloads)):.0f} GiB of disk, and {least} are written"
    if (wanted := expect.get("usdPerHour")) is not None:
        planned = found.plan["cost"]["planned"]["usdPerHour"]
        return None if abs(planned - wanted) < 0.1 * wanted else f"costs {planned} USD an hour as planned, not {wanted}"
    return None


def _gib(workload: Mapping[str, Any]) -> float:
    return float(re.sub(r"Gi$", "", workload["resources"]["requests"]["ephemeral-storage"]))


def _first(found: Outcome) -> str:
    if not found.planned:
        return found.text.splitlines()[0][:300]
    notes = [f"{note}" for note in found.plan.get("notes", ())]
    return "; ".join(notes)[:300]


def main() -> int:
    """Prints the share that is right by kind, and names the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", help="only cases of this kind")
    parser.add_argument("--verbose", action="store_true", help="also what is said of cases that are right")
    asked = parser.parse_args()
    right: dict[str, list[bool]] = defaultdict(list)
    unjudged = []
    for case in cases():
        if asked.kind not in (None, case["kind"]):
            continue
        found = outcome_of(case)
        wrong = fault(case, found)
        if not wrong and not is_judged(found):
            unjudged.append(case["id"])
            continue
        right[case["kind"]].append(wrong is None)
        if wrong or asked.verbose:
            print(f"{'WRONG' if wrong else 'right'} {case['id']}: {wrong or _first(found)}\n      {case['source']}")
    for kind, outcomes in right.items():
        print(f"{kind:<22}{sum(outcomes):4} of {len(outcomes):4} right")
    print(f"planned without a word on memory: {', '.join(unjudged) or 'none'}")
    total = [outcome for outcomes in right.values() for outcome in outcomes]
    share = sum(total) / len(total)
    print(f"{'all':<22}{sum(total):4} of {len(total):4} right, {share:.1%}; the goal is {GOAL:.0%}")
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
