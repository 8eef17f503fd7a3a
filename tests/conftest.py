"""Options that hold for all tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


SLOW = (
    "tests/advising",
    "tests/benchmarks",
    "tests/engines/test_stacks_and_recipes.py",
    "tests/engines/test_remedies.py",
    "tests/laws",
    "tests/planning/difference/test_truth.py",
    "tests/planning/memory/test_monotonicity.py",
    "tests/planning/memory/test_remedies.py",
    "tests/planning/stack/test_edits.py",
    "tests/planning/stack/test_every_field.py",
    "tests/report/test_page.py",
    "tests/scripts/test_pr_preview.py",
    "tests/stacks/test_guide_recipes.py",
    "tests/test_architecture.py",
)
"""Files and folders whose tests generate many cases, start many processes or walk over every contract."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the slow tests by their place, so that no file has to say it itself."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
