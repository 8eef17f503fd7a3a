"""Google's SDK stays unloaded until one of its resources is made."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import stacks.serving
from components.google import gcp
assert "pulumi_gcp" not in sys.modules
assert gcp.container.Cluster is sys.modules["pulumi_gcp"].container.Cluster
"""


@pytest.mark.slow
def test_the_program_loads_no_sdk_of_google_before_it_makes_one_of_its_resources() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
