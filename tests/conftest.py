"""Options and skips that hold for all tests."""

import shutil

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("pulumi") is None:
        skip = pytest.mark.skip(reason="the Pulumi CLI is not on PATH")
        for item in items:
            if item.get_closest_marker("pulumi_cli"):
                item.add_marker(skip)
