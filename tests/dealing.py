"""How the tests that start sandboxes are dealt out to workers: one by one, save those that share one."""

from typing import Any

import pytest

ONE_CLUSTER = ("test_control_plane.py", "test_every_option.py", "test_guards.py")
"""Whose tests share the control plane of a session."""
ONE_STACK_A_FILE = (
    "test_bench_run.py",
    "test_certificates.py",
    "test_difference.py",
    "test_engine.py",
    "test_rollouts.py",
)
ONE_STACK_A_FUNCTION = ("test_edit_table.py",)
"""Whose tests share a stack that is up for minutes."""

LONG = (
    "tests/pulumi_cli/test_trouble.py::test_an_update_over_a_restart",
    "tests/pulumi_cli/test_difference.py",
    "tests/pulumi_cli/test_cut_off.py",
    "tests/pulumi_cli/test_full_pool.py::test_what_is_refused",
    "tests/pulumi_cli/test_sizes.py",
    "tests/pulumi_cli/test_every_stack.py",
)
"""Whose tests are dealt out first: one of half a minute that begins last runs alone."""


def long_first(items: list[pytest.Item]) -> None:
    """Puts the tests that take longest before the others."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def unit_of(test: str) -> str:
    """The name under which pytest-xdist keeps tests on one worker, of a test's own name."""
    file = test.partition("::")[0]
    if file.endswith(ONE_CLUSTER):
        return "cluster"
    if file.endswith(ONE_STACK_A_FILE):
        return file
    return test.partition("[")[0] if file.endswith(ONE_STACK_A_FUNCTION) else test


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deals out `unit_of` the tests where files were asked for: few files take as long as all others together."""
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    return Scheduling(config, log)
