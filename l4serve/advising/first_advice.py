"""A first stack for a goal of the advisor: one that serves, with the machine and the settings that are best for it."""

from dataclasses import replace
from pathlib import Path

from l4serve.advising.answer import Answer, ranked
from l4serve.advising.candidates import pod_choices
from l4serve.advising.homes import card_counts, homes_of
from l4serve.advising.ranking import GOALS, Goal, Judged, Wish, usual_clients
from l4serve.advising.search import search
from l4serve.advising.trial import edit_path
from l4serve.config.keys.expected_load import ExpectedLoad
from l4serve.config.keys.vllm import VllmEngine
from l4serve.config.reading.yaml_edits import with_values
from l4serve.config.reading.yaml_reader import read_yaml
from l4serve.config.reading.yaml_text import block
from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.config.stack_file import parse_stack
from l4serve.planning.gke.location import region_of
from l4serve.planning.machines.shapes import default_accelerator
from l4serve.planning.performance.load import Load
from l4serve.planning.stack.first_stack import CONTEXTS, FirstStack, first_config, first_stack, workload_name
from l4serve.planning.stack.first_stack import Wish as FirstWish
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.workload.judgement.fit_question import Question, subject_of

FIRST_GOALS = ("try", "serve", *GOALS)
"""What a first stack may be for."""


def advised_stack(wish: FirstWish, goal: Goal, base: Path) -> FirstStack:
    """The best single replica for the goal under the usual load that the plan of the whole stack accepts.

    More cards always answer a little sooner, so for latency the fewest are taken: who wants more asks `advise`.
    Raises ConfigError where no configuration of the model is judged, or the plan accepts none.
    """
    context, asked = min(wish.model.max_position_embeddings, CONTEXTS[0]), _usual(goal)
    answer = _searched(wish, asked, context)
    found = ranked(answer, asked)
    if goal == "latency":
        fewest = min((judged.candidate.gpus for judged in found), default=0)
        found = [judged for judged in found if judged.candidate.gpus == fewest]
    if not found:
        first_stack(wish, base)  # a model that the goal serve refuses too is told of by what that says
        said = f"no configuration is known to be best for {goal}: {_why(answer)}"
        raise ConfigError([Problem("goal", said, "take the goal serve")])
    refusal: ConfigError | None = None
    for judged in found:
        try:
            return _written(wish, judged, context, base)
        except ConfigError as error:
            refusal = error
    assert refusal is not None, "there is at least one attempt"
    raise refusal


def _searched(wish: FirstWish, asked: Wish, context: int) -> Answer:
    card = default_accelerator()
    question = Question(
        model=wish.model,
        engine=VllmEngine().kind,
        engine_version=None,
        accelerator=card,
        gpus=1,
        settings={"length": context},
    )
    homes = [replace(home, most_replicas=1) for home in homes_of(card, "on-demand", region_of(wish.location))]
    return search(list(pod_choices(subject_of(question), card_counts(card))), homes, asked)


def _usual(goal: Goal) -> Wish:
    lengths = ExpectedLoad()
    load = Load(input_tokens=lengths.input_tokens, output_tokens=lengths.output_tokens, clients=usual_clients(goal))
    return Wish(goal=goal, load=load)


def _why(answer: Answer) -> str:
    reasons = [*(each.reason for each in answer.unhoused), *(each.reason for each in answer.rejected)]
    return reasons[0] if reasons else "every one is refused"


def _written(wish: FirstWish, judged: Judged, context: int, base: Path) -> FirstStack:
    pod, home = judged.candidate.pod, judged.candidate.home
    config = first_config(wish, pod.subject.layout.gpus, context, home.shape.machine_type)
    name = workload_name(wish.model.id)
    text = with_values(block({"config": config}), {edit_path(name, key): value for key, value in pod.edit.items()})
    edited = read_yaml(text.encode())["config"]
    plan = plan_stack(parse_stack(wish.name, edited, base=base))
    return FirstStack(config=edited, plan=plan, chosen=pod.edit, bits="" if pod.quality == "full" else pod.quality)
