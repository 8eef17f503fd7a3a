"""The engines and clusters that the commands talk to are those of the checks' own tests."""

from tests.verification.conftest import *  # noqa: F403 - fixtures
