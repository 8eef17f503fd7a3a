"""Stacks, planned and rendered once for all tests."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from l4serve.cli.commands.render_command import Rendered, render_stack
from l4serve.config.stack_file import read_stack_file
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories

ROOT = Path(__file__).resolve().parent.parent
STACKS = tuple(sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")))


@cache
def planned(stack: str) -> StackPlan:
    """The plan of a committed stack."""
    return plan_stack(read_stack_file(ROOT / f"Pulumi.{stack}.yaml"))


@cache
def rendered(stack: str) -> Rendered:
    """What the program of a committed stack creates."""
    return render_stack(read_stack_file(ROOT / f"Pulumi.{stack}.yaml"))


def made(serving: Mapping[str, Any]) -> Rendered:
    """What the program of a serving object creates."""
    return _made(json.dumps(serving))


@cache
def _made(serving: str) -> Rendered:
    return render_stack(factories.loaded(json.loads(serving), name="made"))


def objects(stack: str, kind: str) -> dict[str, Mapping[str, Any]]:
    """The rendered Kubernetes objects of one kind, by name."""
    return {o["metadata"]["name"]: o for o in rendered(stack).objects if o["kind"] == kind}
