"""Entry point of `pulumi preview --policy-pack policy`."""

import sys
from pathlib import Path

# Pulumi runs this folder as a program, which leaves the project itself off the path.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi_policy import EnforcementLevel, PolicyPack

from policy.pack import NAME, policies

PolicyPack(NAME, policies(), enforcement_level=EnforcementLevel.MANDATORY)
