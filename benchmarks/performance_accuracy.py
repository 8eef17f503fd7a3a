"""How far the performance model is from what was measured, beside public estimators.

    python -m benchmarks.performance_accuracy              # errors with the constants as they are, and held out
    python -m benchmarks.performance_accuracy --points     # also every point
    python -m benchmarks.performance_accuracy --fit        # what the points would make of the constants
    python -m benchmarks.performance_accuracy --docs       # refreshes docs/performance-model.md and its plot
    python -m benchmarks.performance_accuracy --anchors AICONFIGURATOR_PYTHON GENZ_PYTHON   # asks the public tools anew

"Held out" judges each group of points (one sweep), and each family of groups (one harness, one model, one width of
weights), by constants that were settled without any of its points.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from pathlib import Path

from benchmarks.advisor_pick import picks_table
from benchmarks.performance import anchors
from benchmarks.performance.accuracy_report import refresh_docs
from benchmarks.performance.h100_points import (
    advised_points,
    dense_points,
    h100_points,
    host_points,
    prefix_points,
    rate_points,
    server_points,
    unseen_points,
)
from benchmarks.performance.l4_points import l4_points, other_host_points, unjudged
from benchmarks.performance.named_rows import named_line
from benchmarks.performance.point_errors import NAMES, Answers, coverage, errors, relative
from benchmarks.performance.points import METRICS, Point, figures, predicted, rows
from benchmarks.performance.rate_fitting import evidence, fit, held_out, starts, write
from l4serve.planning.performance.kernel_rates import kernel_rates

UNFITTED = (
    "H100 with an L4's memory",
    "H100, other configurations",
    "H100, other models",
    "L4, other models and hosts",
    "H100, requests at a rate",
    "H100, experts, latent attention, adapters, eager",
    "H100, at the pace of the host",
    "H100, dense models under clients",
    "H100, with and without a shared beginning",
)
OWN, GROUP_OUT, HELD_OUT = "l4serve", "l4serve, group held out", "l4serve, family held out"


def everyone(points: tuple[Point, ...]) -> dict[str, Answers]:
    """Every estimator's answers to the L4's points."""
    names, _ = starts()
    answers: dict[str, Answers] = {OWN: {p.id: figures(predicted(p)) for p in points}}
    found = evidence(points, kernel_rates(), names)
    answers[GROUP_OUT] = held_out(points, found, lambda point: point.group)
    answers[HELD_OUT] = held_out(points, found, lambda point: point.family)
    answers[anchors.BYTES_LINE] = {p.id: anchors.bytes_line(p) for p in points}
    kept = anchors.kept()
    return answers | {title: kept[name] for name, title in anchors.TOOLS.items()}


def bounded_sets(
    points: tuple[Point, ...], answers: Mapping[str, Answers], own: Answers, *others: tuple[Point, ...]
) -> Iterator[tuple[str, tuple[Point, ...], Answers]]:
    """The sets that are held against the bound, each with its name and what was said of it."""
    yield "L4, group held out", points, answers[GROUP_OUT]
    yield "L4, family held out", points, answers[HELD_OUT]
    yield from zip(UNFITTED, others, repeat(own), strict=False)


def print_errors(title: str, points: tuple[Point, ...], answers: Mapping[str, Answers]) -> None:
    """One line for each estimator and metric."""
    print(
        f"\n{title}: {len(points)} points, {len({p.group for p in points})} groups, {len({p.family for p in points})}"
    )
    for metric in METRICS:
        print(f"  {NAMES[metric]:<44}{'answers':>10}{'median':>9}{'p90':>9}{'ranked':>9}")
        for name, own in answers.items():
            found = errors(points, metric, own)
            if found.answered:
                shown = (percent(found.median), percent(found.p90), percent(found.rank_share))
                print(f"    {name:<42}{found.answered:>5}/{found.asked:<4}{shown[0]:>9}{shown[1]:>9}{shown[2]:>9}")


def coverage_table(sets: Iterable[tuple[str, tuple[Point, ...], Answers]]) -> str:
    """How many of the measured figures lie between low and high, as a table."""
    lines = [f"| points | {' | '.join(NAMES[metric] for metric in METRICS)} |", "|---|---|---|---|"]
    for title, points, answers in sets:
        counted = (coverage(points, metric, answers) for metric in METRICS)
        lines.append(f"| {title} | {' | '.join(f'{part} of {whole}' if whole else '-' for part, whole in counted)} |")
    return "\n".join(lines)


def print_coverage(title: str, points: tuple[Point, ...], answers: Answers) -> None:
    """How many of the measured figures lie between low and high."""
    counted = ((NAMES[metric], *coverage(points, metric, answers)) for metric in METRICS)
    shown = "; ".join(f"{name} {inside} of {all_of}" for name, inside, all_of in counted if all_of)
    print(f"within the bound, {title}: {shown}")


def percent(value: float | None) -> str:
    """A share as people read it."""
    return "-" if value is None else f"{100 * value:.1f} %"


def print_points(points: tuple[Point, ...], answers: Answers) -> None:
    """One line for each measured figure."""
    for point in points:
        for metric, value in point.measured.items():
            error = relative(point, metric, answers)
            shown = "not judged" if error is None else f"{100 * error:+6.1f} %"
            print(f"  {point.group:<44}{point.load.clients:>5} {metric:<7}{value:>10.1f}  {shown}")


def print_fit(points: tuple[Point, ...], *, keep: bool) -> None:
    """Each constant where it starts, where it is, and where the points would have it, which may be kept."""
    names, begun = starts()
    found = fit(points)
    if keep:
        write(found)
    for name in names:
        three = (getattr(rates, name) for rates in (begun, kernel_rates(), found))
        print(f"  {name:<20}" + "".join(f"{value:>12.4g}" for value in three))


def main() -> int:
    """Prints the tables; see the module's text for the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", action="store_true")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--write", action="store_true", help="with --fit: keep what it finds")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--anchors", nargs=2, type=Path, metavar=("AICONFIGURATOR_PYTHON", "GENZ_PYTHON"))
    arguments = parser.parse_args()
    points = l4_points()
    if arguments.anchors:
        anchors.ask(points, *arguments.anchors)
    if arguments.fit:
        print_fit(points, keep=arguments.write)
        return 0
    answers = everyone(points)
    h100, advised, unseen = h100_points(), advised_points(), unseen_points()
    elsewhere, rated, served, paced = other_host_points(), rate_points(), server_points(), host_points()
    dense, sharing = dense_points(), prefix_points()
    others = (h100, advised, unseen, elsewhere, rated, served, paced, dense, sharing)
    ours = {OWN: {p.id: figures(predicted(p)) for those in others for p in those}}
    print_errors("L4", points, answers)
    print_errors("L4, more clients than run at once", tuple(p for p in points if p.saturated), answers)
    print_errors("H100 with an L4's memory", h100, ours)
    print_errors("H100 with an L4's memory, other configurations", advised, ours)
    print_errors("H100 with an L4's memory, other models", unseen, ours)
    print_errors("L4, models and hosts that settled nothing", elsewhere, ours)
    print_errors("H100 with an L4's memory, requests at a rate", rated, ours)
    print_errors(
        "H100 with an L4's memory, a server of experts, latent attention, adapters, eager kernels", served, ours
    )
    print_errors("H100 with an L4's memory, at the pace of the host", paced, ours)
    print_errors("H100 with an L4's memory, dense models under clients", dense, ours)
    print_errors("H100 with an L4's memory, with and without a shared beginning of prompts", sharing, ours)
    for title, own, said in bounded_sets(points, answers, ours[OWN], *others):
        print_coverage(title, own, said)
    print(named_line())
    left = Counter(reason for row in rows("l4_points.jsonl") if (reason := unjudged(row)))
    for reason, count in left.items():
        print(f"not a question, {count}: {reason}")
    if arguments.points:
        print_points(points, answers[HELD_OUT])
        print_points(h100, ours[OWN])
    if arguments.docs:
        held = bounded_sets(points, answers, ours[OWN], *others)
        kept = {"own": OWN, "held_out": HELD_OUT, "picks": picks_table(), "covered": coverage_table(held)}
        refresh_docs(points, answers, h100, ours, sets=others[1:], left=left, **kept)
    return 0


if __name__ == "__main__":
    sys.exit(main())
