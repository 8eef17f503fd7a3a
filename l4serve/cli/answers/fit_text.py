"""The memory bar and the words of l4serve fit, readable in 80 columns and without colour."""

from __future__ import annotations

from rich.text import Text

from l4serve.cli.shell.output import SafeConsole
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.memory.fit import Fit
from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.subject import Subject

BAR_CELLS = 60
SMALLEST_SHOWN_GIB = 0.005


def memory_parts(answer: Fit) -> tuple[tuple[str, str, str, float], ...]:
    """Letter, name, colour and GiB of each part of one GPU's memory, in the order of the bar."""
    needed = answer.weights_gib + answer.activation_gib + answer.non_torch_gib
    cache = max(0.0, answer.kv_room_gib)
    counted = min(answer.cuda_graph_gib + answer.workspace_gib, max(0.0, answer.usable_gib - needed - cache))
    rest = max(0.0, answer.total_gib - needed - cache - counted - answer.late_gib)
    parts = (
        ("W", "weights", "blue", answer.weights_gib),
        ("A", "activations", "yellow", answer.activation_gib),
        ("N", "CUDA and NCCL", "magenta", answer.non_torch_gib),
        ("G", "graphs, workspace", "cyan", counted),
        ("K", "KV cache", "green", answer.kv_room_gib),
        ("L", "allocated later", "red", answer.late_gib),
        (".", "left over", "white", rest),
    )
    return tuple(part for part in parts if part[3] >= SMALLEST_SHOWN_GIB or part[0] in "WK")


def memory_bar(answer: Fit, cells: int = BAR_CELLS) -> Text:
    """A bar as wide as the card's memory; each part is a letter or more, and what exceeds the card is cut."""
    bar = Text("[")
    room = cells
    for letter, _, colour, gib in memory_parts(answer):
        width = min(room, max(1, round(gib / answer.total_gib * cells))) if gib > 0 else 0
        bar.append(letter * width, style=colour)
        room -= width
    bar.append(" " * room)
    bar.append("]" if answer.weights_gib <= answer.total_gib else ">")
    return bar


def reasons(judgement: Judgement) -> tuple[str, ...]:
    """Why the answer is no: what the memory lacks, then what the engine refuses."""
    fit = judgement.fit
    lacking = fit.reasons if fit is not None else ()
    return (*lacking, *refused_beside_memory(judgement))


def refused_beside_memory(judgement: Judgement) -> tuple[str, ...]:
    """What the engine refuses, whatever the memory."""
    return tuple(f"{problem.path}: {problem.message}" for problem in judgement.beside_memory)


def print_fit(subject: Subject, judgement: Judgement) -> None:
    """Prints the verdict, the bar of each (identical) GPU, the figures and the remedies."""
    answer, engine, layout = judgement.fit, subject.workload.engine, subject.layout
    assert answer is not None, "only a described model is asked about"
    console = SafeConsole()
    width = min(console.width, 100)
    title = f"{subject.workload.model.id} on {layout.gpus} x {subject.card.name}"
    console.print(f"{title}, {engine_profile(engine.kind).title} {engine.version}")
    console.print(_verdict(judgement))
    for index in range(layout.gpus):
        console.print(Text(f"GPU {index} ").append_text(memory_bar(answer, min(BAR_CELLS, width - 10))))
    for letter, name, shade, gib in memory_parts(answer):
        console.print(Text(f"  {letter} ", style=shade).append(f"{name:<22}{gib:8.2f} GiB", style="default"))
    console.print(
        f"    {'whole card':<22}{answer.total_gib:8.2f} GiB  (uncertainty {answer.uncertainty_gib:.2f})",
    )
    console.print(
        f"KV cache {answer.kv_cache_tokens:,} tokens: {answer.max_concurrency:.2f} sequences of "
        f"{answer.max_model_len:,}; longest context {answer.largest_max_model_len:,}",
    )
    for reason in reasons(judgement):
        console.print(f"because {reason}")
    for verdict in judgement.verdicts:
        if verdict.severity != "error":
            console.print(f"{verdict.severity}: {verdict.field}: {verdict.reason} [{verdict.rule_id}]")
    for note in judgement.notes:
        console.print(f"note: {note}")
    if judgement.remedies:
        console.print("what would help, cheapest first:")
    for cure in judgement.remedies:
        console.print(f"  - {cure.text}")


def _verdict(judgement: Judgement) -> Text:
    answer = judgement.fit
    assert answer is not None, "only a described model is asked about"
    if answer.fits and judgement.refusals:
        return Text("fits, but the engine refuses it", style="bold red")
    verdict, colour = ("fits", "green") if answer.fits else ("does not fit", "red")
    if answer.margin_is_uncertain:
        verdict = f"{verdict}, but the margin is within the uncertainty"
        colour = "red" if judgement.refusals else "yellow"
    return Text(verdict, style=f"bold {colour}")
