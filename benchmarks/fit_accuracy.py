"""How far the memory model is from what engines printed, beside the public estimators.

    python -m benchmarks.fit_accuracy --install  # once: the public estimators in an environment of their own
    python -m benchmarks.fit_accuracy            # errors, false fits, false refusals
    python -m benchmarks.fit_accuracy --cross-validate  # also with constants refitted without the family
    python -m benchmarks.fit_accuracy --docs     # refreshes docs/memory-model.md and its plot

An error is that of the KV cache's tokens against the engine's own count. A false fit says that a start succeeds which
the engine refused; a false refusal is the opposite.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping

from benchmarks.estimators.cases import Case, all_cases, field_records
from benchmarks.estimators.environment import install, tools_python
from benchmarks.estimators.fitting import cross_validate
from benchmarks.estimators.metrics import Summary, relative_error, summarise
from benchmarks.estimators.report import refresh_docs
from benchmarks.estimators.tools import Answer, ask_flat_reserve, ask_own_model, ask_public_tools

ORIGINS = {
    "field": "field observations",
    "measured": "measured, vLLM 0.26.0 under an L4's budget",
    "measured-vision": "measured, vision models",
    "measured-hybrid": "measured, models with linear attention",
    "measured-state": "measured, Mamba and a decoder that listens",
    "measured-speculation": "measured, speculative decoding",
    "measured-parallel": "measured, two cards",
}
OWN = "l4serve"
OWN_HELD_OUT = "l4serve, family held out"


def ask_everyone(cases: tuple[Case, ...], *, held_out: bool) -> dict[str, dict[str, Answer]]:
    """Every tool's answers; the public ones only where they are installed."""
    answers = {OWN: ask_own_model(cases)}
    if held_out:
        answers[OWN_HELD_OUT] = cross_validate(cases, all_cases())
    answers["flat reserve"] = ask_flat_reserve(cases)
    python = tools_python()
    return answers if python is None else answers | ask_public_tools(cases, python)


def print_table(title: str, cases: tuple[Case, ...], answers: Mapping[str, Mapping[str, Answer]]) -> dict[str, Summary]:
    """One line for each tool."""
    print(f"\n{title}: {len(cases)} cases, {len({c.family for c in cases})} architectures")
    print(f"  {'':<26}{'answers':>8}{'median':>8}{'p90':>8}{'false fits':>12}{'warned':>8}{'false refusals':>16}")
    summaries = {name: summarise(cases, rows) for name, rows in answers.items()}
    for name, found in summaries.items():
        print(
            f"  {name:<26}{found.answered:>8}{_percent(found.median):>8}{_percent(found.p90):>8}"
            f"{len(found.false_fits):>12}{len(found.unsure_false_fits):>8}{len(found.false_refusals):>16}"
        )
    for name, found in summaries.items():
        for reason, count in found.cannot.items():
            print(f"  {name} cannot answer {count}: {reason}")
    return summaries


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def print_cases(cases: tuple[Case, ...], answers: Mapping[str, Answer]) -> None:
    """One line for each case of the project's own model."""
    for case in cases:
        error = relative_error(answers[case.id], case)
        shown = "" if error is None else f"{100 * error:+.1f} %"
        said = "fits" if answers[case.id].fits else "refused"
        was = "started" if case.fits else "refused"
        print(f"  {case.id:<44}{case.tokens or '-':>10}{answers[case.id].tokens or 0:>10.0f}{shown:>10}  {said}, {was}")


def print_unjudged() -> None:
    """The field observations that say too little, each with the reason."""
    print("\nnot judged:")
    for record in field_records():
        if "notJudged" in record:
            print(f"  {record['id']}: {record['notJudged']}")


def print_speed(cases: tuple[Case, ...]) -> None:
    """How long a thousand estimates take."""
    began = time.perf_counter()
    for _ in range(1000 // len(cases) + 1):
        ask_own_model(cases)
    taken = (time.perf_counter() - began) / (len(cases) * (1000 // len(cases) + 1))
    print(f"\n1,000 estimates take {1000 * taken:.2f} s")


def main() -> int:
    """Prints the tables; see the module's text for the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--cross-validate", action="store_true")
    parser.add_argument("--cases", action="store_true", help="print every case")
    parser.add_argument("--docs", action="store_true")
    arguments = parser.parse_args()
    if arguments.install:
        install()
    held_out = arguments.cross_validate or arguments.docs
    tables = {}
    for origin, title in ORIGINS.items():
        cases = tuple(case for case in all_cases() if case.origin == origin)
        answers = ask_everyone(cases, held_out=held_out)
        tables[origin] = (cases, answers, print_table(title, cases, answers))
        if arguments.cases:
            print_cases(cases, answers[OWN])
    print_unjudged()
    print_speed(all_cases())
    if tools_python() is None:
        print("\nthe public estimators are not installed: run with --install")
    if arguments.docs:
        refresh_docs(tables, OWN, OWN_HELD_OUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
