"""How a pod shows that it serves and lives, and how it ends without losing requests. Data: data/lifecycle.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.workload import Workload
from l4serve.engines.arguments.checking import read_options
from l4serve.engines.releases.contract import Contract
from l4serve.planning.workload.pods.start import StartPlan


@frozen()
class ProbeTimes:
    """How often a probe asks, how many misses count, and how long it waits for an answer, in seconds."""

    period: int
    failures: int
    timeout: int

    @property
    def seconds(self) -> int:
        """How long a container may fail before the probe acts."""
        return self.period * self.failures


@frozen()
class Probes:
    """HTTP probes of the engine's container; the start-up budget covers download and load of the model, in seconds."""

    path: str
    startup_period: int
    startup_failures: int
    readiness: ProbeTimes
    liveness: ProbeTimes

    @property
    def startup_seconds(self) -> int:
        """How long the engine may take to serve its first health check, in seconds."""
        return self.startup_period * self.startup_failures


@frozen(kw_only=True)
class Lifecycle:
    """How a pod starts, shows that it lives, and ends."""

    start: StartPlan
    probes: Probes
    leave_seconds: int
    """How long it serves on after it was told to end, until no client is sent to it."""
    drain_args: tuple[str, ...]
    """Arguments that let the engine finish its requests; empty where it needs none or has none."""
    grace_seconds: int
    """When it is killed: after leaving, finishing and a margin."""


def plan_lifecycle(
    workload: Workload, contract: Contract, start: StartPlan, *, spot: bool, balanced: bool = False
) -> Lifecycle:
    """The life of a pod under a contract; on spot nodes it leaves faster, since they are taken away within seconds.

    A load balancer (`balanced`) takes longer than a Service to send requests elsewhere.
    """
    probes, drain, shutdown = _table()["probes"], _table()["drain"], contract.shutdown
    period = probes["startup"]["period"]
    stated = _stated(workload, contract)
    finish = (stated if stated is not None else drain["finish"]) if shutdown.drains else 0
    if shutdown.drains:
        leave = drain["spotLeaveBalanced" if balanced else "spotLeave"] if spot else drain["leave"]
    else:
        # SIGTERM cancels what runs, so serving on is all that spares it.
        leave = drain["spotNotice"] - drain["spotLast"] if spot else shutdown.grace_seconds - drain["margin"]
    own = shutdown.drain_flag is not None and stated is None
    return Lifecycle(
        start=start,
        probes=Probes(
            path=contract.health_path,
            startup_period=period,
            startup_failures=-(-start.budget // period),
            readiness=ProbeTimes(**probes["readiness"]),
            liveness=ProbeTimes(**probes["liveness"]),
        ),
        leave_seconds=leave,
        drain_args=(f"{shutdown.drain_flag}={finish}",) if own else (),
        grace_seconds=max(shutdown.grace_seconds, leave + finish + drain["margin"]),
    )


def longest_grace(usual: Lifecycle, lasting: Lifecycle, kept: int) -> int:
    """Seconds after which the last pod that was told to end is gone, with so many of those that no spot node has."""
    return max(usual.grace_seconds, lasting.grace_seconds if kept else 0)


def ending_notes(life: Lifecycle) -> Iterator[str]:
    """That a pod may need longer to end than it is given where its node goes."""
    given = _table()["drain"]["nodeRemoval"]
    if life.grace_seconds > given:
        needed = f"a pod may take {life.grace_seconds:,} s to end"
        yield f"{needed}, of which GKE's autoscaler gives it {given} on a node that it removes"


def _stated(workload: Workload, contract: Contract) -> int | None:
    """The seconds that the config gives the engine to finish, by argument or variable; None where it says nothing."""
    flag = contract.flags.get(contract.shutdown.drain_flag or "")
    if flag is None:
        return None
    options = [option for option in read_options(workload.extra_args, contract) if option.flag is flag]
    given = [*workload.extra_env.get(flag.env or "", "").split(), *(value for each in options for value in each.values)]
    # An argument counts before the variable.
    text = given[-1] if given else ""
    return int(text) if text.isdigit() else None


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "lifecycle.yaml")
    return table
