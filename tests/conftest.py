"""Options that hold for all tests."""

import gc
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.dealing import long_first, pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


PLACES: Mapping[str, tuple[str, ...]] = {
    "slow": (
        "tests/advising",
        "tests/benchmarks",
        "tests/cli/commands/test_advise_command.py",
        "tests/cli/subjects/test_completion.py",
        "tests/cli/commands/test_diff_command.py",
        "tests/cli/test_diff_hostile.py",
        "tests/cli/test_diff_large.py",
        "tests/cli/test_diff_sides.py",
        "tests/cli/test_edits_by_hand.py",
        "tests/cli/test_json_documents.py",
        "tests/cli/test_loading.py",
        "tests/cli/test_many_workloads.py",
        "tests/cli/test_ordinary_input.py",
        "tests/cli/test_plain_terminal.py",
        "tests/cli/test_remedies_that_hold.py",
        "tests/cli/test_start.py",
        "tests/cli/commands/test_verify_command.py",
        "tests/components/test_custom_kinds.py",
        "tests/components/test_endpoint_picker.py",
        "tests/components/test_exposure.py",
        "tests/config/test_followed_remedies.py",
        "tests/config/test_long_texts.py",
        "tests/engines/test_remedies.py",
        "tests/engines/test_stacks_and_recipes.py",
        "tests/laws",
        "tests/planning/difference/test_truth.py",
        "tests/planning/memory/test_monotonicity.py",
        "tests/planning/memory/test_remedies.py",
        "tests/planning/performance/test_bottleneck.py",
        "tests/planning/performance/test_crowd.py",
        "tests/planning/performance/test_monotone_laws.py",
        "tests/planning/stack/test_edits.py",
        "tests/planning/stack/test_every_field.py",
        "tests/planning/stack/test_every_field_at_each_release.py",
        "tests/planning/stack/test_odd_values.py",
        "tests/policy/test_exposure_rules.py",
        "tests/policy/test_protocol.py",
        "tests/policy/test_stacks.py",
        "tests/report/test_page.py",
        "tests/scripts/test_pr_preview.py",
        "tests/scripts/test_release.py",
        "tests/scripts/test_vllm_contract.py",
        "tests/stacks/test_every_field_renders.py",
        "tests/stacks/test_guide_recipes.py",
        "tests/stacks/test_resource_names.py",
        "tests/stacks/test_stacks.py",
        "tests/test_architecture.py",
        "tests/verification/test_pooling_server.py",
        "tests/verification/test_port_forward.py",
        "tests/verification/test_tgi_server.py",
        "tests/verification/test_tls.py",
        "tests/verification/test_vllm_server.py",
    ),
    "sandbox": (
        "tests/pulumi_cli",
        "tests/sandbox/test_control_plane.py",
        "tests/sandbox/test_deaths.py",
        "tests/sandbox/test_every_option.py",
        "tests/sandbox/test_guards.py",
        "tests/sandbox/test_random_stacks.py",
        "tests/sandbox/test_rehearsal.py",
        "tests/sandbox/test_rollouts.py",
    ),
    "browser": ("tests/report/test_browser.py",),
}
"""Files and folders all of whose tests have a marker: `slow` ones generate many cases, start processes or servers,
render or search whole stacks, or walk over every contract."""


SERVING = (
    "tests/verification",
    "tests/sandbox",
    "tests/cli/test_verify",
    "tests/cli/test_doctor",
    "tests/cli/test_bench",
)
"""Files and folders that talk to servers: their clients take a second to load."""
RENDERING = (
    "tests/components",
    "tests/policy",
    "tests/stacks",
    "tests/cli/test_foreign_program.py",
    "tests/cli/commands/test_render_command.py",
    "tests/planning/gke/test_api_key.py",
    "tests/planning/workload/judgement/test_allowed_rules.py",
)
"""Files and folders that run the program: one worker has them all, for Pulumi's resources take seconds to load."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whether -m leaves out all of a place: its modules, and what they import, are then not even loaded."""
    asked = config.option.markexpr.split(" and ")
    place = collection_path.relative_to(config.rootpath).as_posix()
    return any(f"not {marker}" in asked and place.startswith(places) for marker, places in PLACES.items()) or None


_MANY_FILES = 400


def pytest_configure() -> None:
    """Modules and collected tests live to the end: looking for garbage among them takes a tenth of all time."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(100_000)
    gc.enable()


def pytest_runtest_teardown() -> None:
    """Event loops of rendered programs keep files open until they are collected; `select` takes none past 1,023.

    What is left then are modules that programs loaded, and what is remembered for good: the next search leaves it out.
    """
    if sum(1 for _ in Path("/dev/fd").iterdir()) > _MANY_FILES:
        gc.collect()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of the places, so that no file has to say it itself; a file's tests share what it has read."""
    long_first(items)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.nodeid)))
        for marker, places in PLACES.items():
            if item.nodeid.startswith(places):
                item.add_marker(marker)


def _group(test: str) -> str:
    """The tests that one worker runs one after the other: those of a file, or of files that load the same."""
    if test.startswith(RENDERING):
        return "rendering"
    return "serving" if test.startswith(SERVING) else test.partition("::")[0]
