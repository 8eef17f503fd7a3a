"""Each field of a config once: the edits whose differences are kept as golden files and held to the rendering."""

from collections.abc import Iterator
from typing import Any

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.difference.stack_diff import StackDiff
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories
from tests.engines.test_argv import SAMPLES
from tests.planning.difference.scenarios import BASE
from tests.planning.stack.field_edits import BASES, EDITS
from tests.planning.stack.test_every_field import laid_over

OVER_GPUS = {"tensorParallelSize", "pipelineParallelSize", "numShard"}
"""Another number of GPUs has scenarios of its own."""


def typed_fields(kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Workloads before and after, each with one typed field of the engine set, to the first value that plans."""
    base = factories.workload(engine=ENGINES[kind])
    before, after = {}, {}
    for field, values in SAMPLES[kind].items():
        for value in () if field in OVER_GPUS else values:
            edited = {**base, "engine": {**base["engine"], field: value}, "fit": "warn"}
            try:
                factories.planned(factories.serving({"qwen": edited}, cluster=factories.EXISTING))
            except ConfigError:
                continue
            name = field.lower()
            before[name], after[name] = {**base, "fit": "warn"}, edited
            break
    return before, after


ENGINES = {"vllm": {}, "tgi": {"kind": "tgi", "version": "3.3.6", "maxModelLen": None}}


def differences_of_fields() -> Iterator[tuple[str, StackDiff]]:
    """The difference that an edit of each other field of a stack makes, by the field's path."""
    for edit in EDITS:
        before = laid_over({**BASES[edit.base], "prices": BASE["prices"]}, edit.given)
        sides = (before, laid_over(before, edit.change))
        stacks = [factories.loaded(side, name="made", has_token=edit.has_token) for side in sides]
        yield (
            edit.path,
            diff_plans("made", plan_stack(stacks[0]), plan_stack(stacks[1]), (stacks[0].config, stacks[1].config)),
        )
