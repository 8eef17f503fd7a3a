"""What the advisor says of its winner's settings is why the winner needs them, and of each candidate where it runs."""

from l4serve.advising.advice_json import LIMITS, answer_json, reasons
from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.planning.performance.load import Load
from tests.advising.test_search import asked


def test_a_limit_that_the_winner_needs_is_told_with_what_would_happen_without_it() -> None:
    wish = Wish(goal="latency", load=Load(input_tokens=700, output_tokens=200, clients=4))
    answer = search(*asked("google/gemma-3-27b-it"), wish)
    assert answer.winner is not None
    winner = answer.winner.candidate
    limits = [key for key in LIMITS if key in winner.pod.edit]
    assert limits, "another model is wanted, whose default limits do not start"
    without = {key: value for key, value in winner.pod.edit.items() if key != limits[0]}
    reason = next(
        other.reason
        for other in answer.rejected
        if other.candidate.pod.edit == without and other.candidate.home == winner.home
    )
    told = next(line for line in reasons(answer, wish) if line.startswith(limits[0]))
    assert told.endswith(f": without it this is rejected: {reason}")


def test_machines_of_one_type_with_more_or_fewer_cards_are_told_apart() -> None:
    """A T4 is attached to a machine that has none by itself: once, twice or four times."""
    wish = Wish(goal="cost", load=Load(input_tokens=128, output_tokens=64, clients=1))
    pods, homes = asked("Qwen/Qwen2.5-1.5B-Instruct", "nvidia-tesla-t4")
    told = answer_json(search(pods[:2], homes, wish), wish)
    places = [
        (each["machineType"], each["gpusPerNode"], each["replicas"], str(each["edit"]))
        for each in (told["winner"], *told["rejected"])
    ]
    assert len(places) == told["tried"]
    assert len(set(places)) == len(places)
