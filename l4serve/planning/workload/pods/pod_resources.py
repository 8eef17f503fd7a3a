"""CPU, memory and ephemeral storage of a pod: what the config says, the rest from the machine it runs on."""

import math
from collections.abc import Mapping
from dataclasses import replace

from l4serve.config.frozen import frozen
from l4serve.config.keys.workload import ResourceList, Workload
from l4serve.config.refusals.problems import ConfigError, Problem, refuse, split_remedy
from l4serve.planning.machines.allocatable import Allocatable, free_for_workloads
from l4serve.planning.machines.autopilot_sizes import AutopilotSizeError, Requests, adjust, changes, unknown_sizes
from l4serve.planning.machines.made_nodes import largest_pod, made_disk_gib, made_machine
from l4serve.planning.memory.host import HostNeeds
from l4serve.planning.packing.pod_requests import GPU_RESOURCE
from l4serve.planning.values.quantity import GIB, QuantityError, format_bytes, format_cpu, parse_bytes, parse_cpu
from l4serve.planning.workload.nodes.node_choice import Place


@frozen()
class PodResources:
    """Requests and limits of the engine's container, and the size of /dev/shm in bytes."""

    gpus: int
    requests: Requests
    limits: Requests
    shm_bytes: int
    sidecar: Requests | None = None
    """What an injected container asks for beside the engine's."""

    @property
    def shm(self) -> str:
        """Size of /dev/shm as Kubernetes writes it."""
        return format_bytes(self.shm_bytes)

    @property
    def beside(self) -> Requests:
        """What is asked for beside the engine's container."""
        return self.sidecar or Requests(0, 0, 0)

    def of_one_pod(self) -> Allocatable:
        """What the scheduler must find for one pod."""
        asked, beside = self.requests, self.beside
        return Allocatable(
            asked.cpu_millis + beside.cpu_millis,
            asked.memory_bytes + beside.memory_bytes,
            asked.ephemeral_bytes + beside.ephemeral_bytes,
            self.gpus,
            1,
        )

    def as_kubernetes(self) -> Mapping[str, Mapping[str, str]]:
        """The container's `resources`."""
        return {"requests": self._quantities(self.requests), "limits": self._quantities(self.limits)}

    def _quantities(self, amounts: Requests) -> Mapping[str, str]:
        return {
            "cpu": format_cpu(amounts.cpu_millis),
            "memory": format_bytes(amounts.memory_bytes),
            "ephemeral-storage": format_bytes(amounts.ephemeral_bytes),
            GPU_RESOURCE: str(self.gpus),
        }


@frozen()
class PlannedResources:
    """Resources of a pod, and what to say of them."""

    resources: PodResources
    notes: tuple[str, ...]


def planned_resources(
    path: str, workload: Workload, gpus: int, place: Place, needs: HostNeeds | None, sidecar: Requests | None = None
) -> PlannedResources:
    """What the workload's pod asks for at its place; raises ConfigError for amounts that cannot be had.

    A pod that states nothing asks for what it needs, `needs`, where that is more than its share of a node leaves free
    for others. Autopilot makes the node for the request, so a pod asks there for all that it writes, and for what an
    injected container would have left it too little of. `sidecar` is what a container asks for that GKE injects.
    """
    least = needs.minimum_memory_gib if needs else 0.0
    default = default_requests(_beside(place.capacity(gpus), sidecar), least)
    if not place.autopilot:
        _require_some(path, default, workload)
        stated = replace(pod_resources(path, workload, gpus, default), sidecar=sidecar)
        if place.alternatives:
            _require_each_alternative(path, stated, place)
        elif place.pool is None:
            _require_machine(path, stated, place.shape.accelerator)
        return PlannedResources(stated, ())
    disk = max(default.ephemeral_bytes, math.ceil(needs.ephemeral_gib if needs else 0.0) * GIB)
    memory = max(default.memory_bytes, _made_memory(place, gpus, needs, sidecar))
    asked = pod_resources(path, workload, gpus, replace(default, memory_bytes=memory, ephemeral_bytes=disk))
    try:
        applied = adjust(asked.requests, gpus, place.shape.accelerator)
    except AutopilotSizeError as error:
        refuse(f"{path}.gpus", str(error))
    resources = PodResources(gpus, applied, applied, min(asked.shm_bytes, applied.memory_bytes), sidecar)
    _require_machine(path, resources, place.shape.accelerator)
    raised = changes(asked.requests, applied)
    unknown = unknown_sizes(place.shape.accelerator)
    notes = [f"Autopilot's minimum raises {', '.join(raised)}; the price follows"] if raised else []
    notes += [unknown] if unknown else []
    # Autopilot sets limits to the requests; written equal here, its webhook has nothing left to change.
    return PlannedResources(resources, tuple(notes))


def _made_memory(place: Place, gpus: int, needs: HostNeeds | None, sidecar: Requests | None) -> int:
    """Bytes that a pod asks of a node that is made for it: with less than it loads well with, the plan would warn of
    what it chose. Of a model that nobody described, as much as without the container that GKE injects."""
    if needs is None:
        return default_requests(place.capacity(gpus)).memory_bytes if sidecar else 0
    most = largest_pod(place.shape.accelerator, gpus).memory_bytes - (sidecar.memory_bytes if sidecar else 0)
    return min(math.ceil(needs.memory_gib) * GIB, most // GIB * GIB)


def _require_some(path: str, default: Requests, workload: Workload) -> None:
    """Refuses a machine of which an injected container leaves the engine nothing."""
    stated = workload.resources
    for field, amount in (("cpu", default.cpu_millis), ("memory", default.memory_bytes)):
        if amount <= 0 and not (getattr(stated.requests, field) or getattr(stated.limits, field)):
            what = f"the container that mounts the bucket takes all {field} of the machine, and leaves the engine none"
            refuse(f"{path}.model.source.cache", what, "set it to disk, or take a larger machine")


def _beside(capacity: Allocatable, sidecar: Requests | None) -> Allocatable:
    """What an injected container leaves of the room of a pod."""
    if sidecar is None:
        return capacity
    return replace(
        capacity,
        cpu_millis=max(0, capacity.cpu_millis - sidecar.cpu_millis),
        memory_bytes=max(0, capacity.memory_bytes - sidecar.memory_bytes),
        ephemeral_bytes=max(0, capacity.ephemeral_bytes - sidecar.ephemeral_bytes),
    )


def _require_machine(path: str, resources: PodResources, accelerator: str) -> None:
    """Refuses a pod that no machine with the accelerator holds: no node could be made for it."""
    pod = resources.of_one_pod()
    if made_machine(pod, accelerator) is not None:
        return
    most = largest_pod(accelerator, pod.gpus)
    over = [
        f"{name} {shown(asked)} where {shown(available)} is the most"
        for name, shown, asked, available in (
            ("CPU", format_cpu, pod.cpu_millis, most.cpu_millis),
            ("memory", _gib, pod.memory_bytes, most.memory_bytes),
        )
        if asked > available
    ]
    what = f"no machine with {accelerator} has room for the pod beside GKE's own: {' and '.join(over) or 'too large'}"
    refuse(f"{path}.resources.requests", what, "lower the requests")


def _require_each_alternative(path: str, resources: PodResources, place: Place) -> None:
    """Refuses a pod that some machine of its compute class does not hold: it would wait where that one comes."""
    pod, problems = resources.of_one_pod(), []
    for shape, pool in place.alternatives:
        disk = pool.disks.size_gb if pool else made_disk_gib(pod)
        room = free_for_workloads(shape, boot_disk_gib=disk, local_ssds=pool.ephemeral_ssds if pool else 0)
        for name, shown, asked, left in (
            ("cpu", format_cpu, pod.cpu_millis, room.cpu_millis),
            ("memory", _gib, pod.memory_bytes, room.memory_bytes),
            ("ephemeralStorage", _gib, pod.ephemeral_bytes, room.ephemeral_bytes),
        ):
            if asked > left:
                what = f"a pod asks for {shown(asked)}, and {shape.machine_type} of its compute class has {shown(left)}"
                remedy = "lower the request, or leave that machine out of the class"
                problems.append(Problem(f"{path}.resources.requests.{name}", f"{what} for it", remedy))
    if problems:
        raise ConfigError(problems)


def _gib(amount: int) -> str:
    return f"{amount / GIB:.1f} GiB"


def default_requests(capacity: Allocatable, memory_gib: float = 0.0) -> Requests:
    """Requests of a pod that says nothing, in whole CPUs and GiB where possible.

    Nine tenths of the CPU and memory that a pod of its GPUs may ask: nothing else wants a GPU node, but agents that a
    cluster adds to each node must find room. Ephemeral storage is not shared with them. An engine that needs more
    memory to load (`memory_gib`) gets it, up to all that a pod may ask.
    """
    cpu, memory = capacity.cpu_millis * 9 // 10, capacity.memory_bytes * 9 // 10
    memory = max(memory, min(math.ceil(memory_gib) * GIB, capacity.memory_bytes))
    disk = capacity.ephemeral_bytes
    return Requests(cpu - cpu % (1000 if cpu >= 1000 else 10), memory - memory % GIB, disk - disk % GIB)


def pod_resources(path: str, workload: Workload, gpus: int, default: Requests) -> PodResources:
    """Resources of a workload's pod; raises ConfigError with every contradiction in them."""
    at = f"{path}.resources"
    problems: list[Problem] = []
    asked = _read(f"{at}.requests", workload.resources.requests, problems)
    capped = _read(f"{at}.limits", workload.resources.limits, problems)
    requests = Requests(**{key: asked.get(key) or capped.get(key) or getattr(default, key) for key in _FIELDS})
    limits = Requests(**{key: capped.get(key) or getattr(requests, key) for key in _FIELDS})
    for key, name in _FIELDS.items():
        if getattr(requests, key) > getattr(limits, key):
            message = "the request is above the limit, which the API server refuses"
            remedy = f"set it to limits.{name} or less, or raise limits.{name} to it"
            problems.append(Problem(f"{at}.requests.{name}", message, remedy))
    shm = _shm(path, workload, limits.memory_bytes, problems)
    if problems:
        raise ConfigError(problems)
    return PodResources(gpus, requests, limits, shm)


_FIELDS = {"cpu_millis": "cpu", "memory_bytes": "memory", "ephemeral_bytes": "ephemeralStorage"}


def _read(path: str, amounts: ResourceList, problems: list[Problem]) -> dict[str, int]:
    texts = {"cpu_millis": amounts.cpu, "memory_bytes": amounts.memory, "ephemeral_bytes": amounts.ephemeral_storage}
    read = {}
    for key, text in texts.items():
        if text is None:
            continue
        try:
            read[key] = parse_cpu(text) if key == "cpu_millis" else parse_bytes(text)
        except QuantityError as error:
            problems.append(Problem(f"{path}.{_FIELDS[key]}", *split_remedy(str(error))))
            continue
        if read[key] <= 0:
            usual = "2" if key == "cpu_millis" else "25Gi"
            what, mend = f"{text!r} is not above zero", f"write for example {usual}, or remove it: it is planned"
            problems.append(Problem(f"{path}.{_FIELDS[key]}", what, mend))
    return read


def _shm(path: str, workload: Workload, memory_limit: int, problems: list[Problem]) -> int:
    """Unset is half of the memory limit, as Linux sizes /dev/shm; its pages count towards that limit."""
    if workload.shm is None:
        return memory_limit // 2
    try:
        size = parse_bytes(workload.shm)
    except QuantityError as error:
        problems.append(Problem(f"{path}.shm", *split_remedy(str(error))))
        return 0
    if size > memory_limit:
        message = (
            f"/dev/shm of {workload.shm} is larger than the memory limit {format_bytes(memory_limit)} it counts towards"
        )
        problems.append(
            Problem(
                f"{path}.shm",
                message,
                f"set shm: {memory_limit // GIB}Gi or less, or resources.limits.memory: {workload.shm} or more",
            )
        )
    elif size == 0:
        problems.append(Problem(f"{path}.shm", f"{workload.shm!r} is not above zero", "remove shm"))
    return size
