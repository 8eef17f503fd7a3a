"""l4serve shapes: the machine types, what a pod may ask of them, what they cost and strand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from l4serve.cli.shell.messages import readable_refusals, refuse_input
from l4serve.cli.shell.output import SafeConsole, print_json
from l4serve.cli.shell.tables import wrapped
from l4serve.cli.subjects.completion import complete_accelerator, complete_region, complete_workload
from l4serve.cli.subjects.stack_options import FileOption, JsonOption, StackOption, load, one_workload, valid_region
from l4serve.config.words.spelling import one_of
from l4serve.engines.cards import written
from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.machines.prices import MARKETS, Price, priced_regions, stated_prices
from l4serve.planning.machines.shapes import accelerators, default_accelerator, unplanned
from l4serve.planning.packing.machine_choice import Offer
from l4serve.planning.packing.node_setup import NodeSetup
from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.packing.shape_report import ShapeRow, shape_rows
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.values.quantity import GIB, QuantityError, format_cpu, parse_bytes, parse_cpu, round_gib
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL
from l4serve.planning.workload.workload_plan import WorkloadPlan

DEFAULT_REGION = "us-central1"


def shapes(
    workload: Annotated[
        str | None,
        typer.Option("--workload", "-w", help="Workload of the stack to place.", autocompletion=complete_workload),
    ] = None,
    stack: StackOption = None,
    file: FileOption = None,
    gpus: Annotated[int | None, typer.Option(min=1, max=16, help="GPUs of a pod to place.")] = None,
    cpu: Annotated[str, typer.Option(help="CPU that the pod asks for, such as 7 or 500m.")] = "0",
    memory: Annotated[str, typer.Option(help="Memory that the pod asks for, such as 25Gi.")] = "0",
    ephemeral_storage: Annotated[str, typer.Option(help="Disk that the pod asks for, such as 40Gi.")] = "0",
    region: Annotated[
        str | None,
        typer.Option(help=f"Region of the prices; {DEFAULT_REGION} if unset.", autocompletion=complete_region),
    ] = None,
    disk: Annotated[int | None, typer.Option(min=10, max=65536, help="Boot disk in GB; 100 if unset.")] = None,
    accelerator: Annotated[
        str, typer.Option(help="Accelerator by GKE's name, such as nvidia-l4.", autocompletion=complete_accelerator)
    ] = default_accelerator(),
    as_json: JsonOption = False,
) -> None:
    """List machine shapes: GPUs, vCPU, what a pod may ask, price per hour, and GPUs that a pod would strand."""
    if accelerator not in accelerators():
        raise refuse_input(f"--accelerator {accelerator}: no machine is known; {one_of(accelerator, accelerators())}")
    if workload is None and (stack or file):
        raise refuse_input("-s and -f name the stack of a workload; add --workload NAME")
    if workload is not None and gpus is not None:
        raise refuse_input("--gpus describes a pod and --workload names one; use either")
    pod = None if workload else _described(gpus, cpu, memory, ephemeral_storage)
    setup = NodeSetup(boot_disk_gib=disk or 100)
    valid_region(region)
    offer = Offer(region=region or DEFAULT_REGION, setup=setup, accelerator=accelerator)
    if workload is not None:
        pod, offer = _of_workload(workload, stack, file, region, disk)
    rows = shape_rows(offer, pod)
    if as_json:
        print_json(as_data(rows, offer, pod))
    else:
        _print(rows, offer, pod)


def as_data(rows: tuple[ShapeRow, ...], offer: Offer, pod: PodRequest | None) -> Mapping[str, Any]:
    """The documented JSON form: CPU in millicores, memory and storage in bytes, prices in USD per hour."""
    return {
        "accelerator": offer.accelerator,
        "region": offer.region,
        "market": offer.market,
        "bootDiskGib": offer.setup.boot_disk_gib,
        "pod": None if pod is None else _pod_data(pod),
        "shapes": [_shape_data(row) for row in rows],
    }


def _described(gpus: int | None, cpu: str, memory: str, disk: str) -> PodRequest | None:
    if gpus is None:
        if (cpu, memory, disk) != ("0", "0", "0"):
            raise refuse_input("--cpu, --memory and --ephemeral-storage describe a pod; add --gpus N")
        return None
    return PodRequest(
        workload="pod",
        cpu_millis=_amount("--cpu", cpu, parse_cpu),
        memory_bytes=_amount("--memory", memory, parse_bytes),
        ephemeral_bytes=_amount("--ephemeral-storage", disk, parse_bytes),
        gpus=gpus,
        replicas=1,
    )


def _amount(option: str, text: str, parse: Any) -> int:
    try:
        return int(parse(text))
    except QuantityError as error:
        raise refuse_input(f"{option}: {error}") from None


def _of_workload(
    name: str, stack: str | None, file: Path | None, region: str | None, disk: int | None
) -> tuple[PodRequest, Offer]:
    loaded = load(stack, file)
    with readable_refusals(loaded.file):
        planned = plan_stack(loaded)
    found = one_workload(planned, name)
    pool = next((pool for pool in planned.node_pools if pool.name == found.placing.node_pool), None)
    setup = NodeSetup(
        boot_disk_gib=disk or (pool.disks.size_gb if pool else 100), local_ssds=pool.ephemeral_ssds if pool else 0
    )
    market = MARKETS[pool.supply.provisioning] if pool else "on-demand"
    where = region or planned.cluster.region or DEFAULT_REGION
    accelerator = found.placing.node_selector[ACCELERATOR_LABEL]
    prices = stated_prices(loaded.config.prices)
    return _request(found, planned), Offer(
        region=where, market=market, setup=setup, accelerator=accelerator, overrides=prices
    )


def _request(workload: WorkloadPlan, planned: StackPlan) -> PodRequest:
    asked = workload.resources.requests
    return PodRequest(
        workload=f"{workload.name} of {planned.stack}",
        cpu_millis=asked.cpu_millis,
        memory_bytes=asked.memory_bytes,
        ephemeral_bytes=asked.ephemeral_bytes,
        gpus=workload.layout.gpus,
        replicas=max(1, workload.scale.replicas),
    )


def _pod_data(pod: PodRequest) -> Mapping[str, Any]:
    return {
        "name": pod.workload,
        "gpus": pod.gpus,
        "cpuMillis": pod.cpu_millis,
        "memoryBytes": pod.memory_bytes,
        "ephemeralStorageBytes": pod.ephemeral_bytes,
        "replicas": pod.replicas,
    }


def _shape_data(row: ShapeRow) -> Mapping[str, Any]:
    fit = row.fit
    return {
        "machineType": row.shape.machine_type,
        "gpus": row.shape.gpus,
        "vcpus": row.shape.vcpus,
        "memoryGib": row.shape.memory_gib,
        "soldAs": list(row.shape.sold_as),
        "allocatable": _amounts(row.node),
        "podMayAsk": [{"gpus": pod.gpus, **_amounts(pod)} for pod in row.pods],
        "onDemand": _price_data(row.on_demand),
        "spot": _price_data(row.spot),
        "fit": None if fit is None else {"podsPerNode": fit.pods, "gpusStranded": fit.gpus_stranded},
        "cheapest": row.cheapest,
    }


def _amounts(amounts: Allocatable) -> Mapping[str, int]:
    return {
        "cpuMillis": amounts.cpu_millis,
        "memoryBytes": amounts.memory_bytes,
        "ephemeralStorageBytes": amounts.ephemeral_bytes,
    }


def _price_data(price: Price | None) -> Mapping[str, Any] | None:
    if price is None:
        return None
    return {"usdPerHour": price.usd_per_hour, "region": price.region, "date": price.date, "source": price.source}


def _print(rows: tuple[ShapeRow, ...], offer: Offer, pod: PodRequest | None) -> None:
    console = SafeConsole()
    table = Table(title=f"Machines with {offer.accelerator}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("machine", no_wrap=True)
    table.add_column("GPUs", justify="right", no_wrap=True)
    for column in ("allocatable\nCPU / GiB", "a pod may ask\nCPU / GiB", "USD per hour\nand spot"):
        table.add_column(column, justify="right", no_wrap=True)
    if pod is not None:
        table.add_column("GPUs\nlost", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, pod))
    console.print(table)
    for line in _notes(rows, offer, pod):
        console.print(wrapped(Text(line), console.width, "  "))


def _cells(row: ShapeRow, asked: PodRequest | None) -> list[str | Text]:
    shape, node = row.shape, row.node
    name = Text(shape.machine_type, style="bold green" if row.cheapest else "")
    may_ask = (
        "\n".join(f"{pod.gpus} GPU {_text(pod)}" for pod in row.pods)
        if asked is None
        else next((_text(pod) for pod in row.pods if asked.gpus == pod.gpus), "-")
    )
    cells: list[str | Text] = [name, str(shape.gpus), _text(node), may_ask]
    prices = (row.on_demand, row.spot)
    cells.append(" / ".join(map(_usd, prices)) if any(prices) else "unknown")
    if row.fit is not None:
        cells.append(f"{row.fit.gpus_stranded} of {shape.gpus}" if row.fit.pods else "no fit")
    return cells


def _text(amounts: Allocatable) -> str:
    return f"{amounts.cpu_millis / 1000:.2f} / {amounts.memory_bytes / GIB:.1f}"


def _usd(price: Price | None) -> str:
    return "unknown" if price is None else f"{price.usd_per_hour:.2f}"


def _notes(rows: tuple[ShapeRow, ...], offer: Offer, pod: PodRequest | None) -> list[str]:
    prices = [price for row in rows for price in (row.on_demand, row.spot) if price]
    where = sorted({f"{price.region} ({price.date})" for price in prices})
    sources = "; ".join(dict.fromkeys(price.source for price in prices))
    notes = [f"Prices: {', '.join(where)}; {sources}"] if prices else [_unpriced(offer)]
    notes += _of_card(offer.accelerator, rows)
    notes.append(f"A node with a boot disk of {offer.setup.boot_disk_gib} GB and GKE's daemonsets.")
    if pod is not None:
        asks = f"{pod.gpus} GPU, {format_cpu(pod.cpu_millis)} CPU, {round_gib(pod.memory_bytes)}"
        best = next((row.shape.machine_type for row in rows if row.cheapest), None)
        chosen = f"cheapest for {pod.replicas} of them: {best}" if best else "no machine holds it"
        notes.append(f"Pod {pod.workload}: {asks}; {chosen}.")
    return notes


def _of_card(accelerator: str, rows: tuple[ShapeRow, ...]) -> Iterator[str]:
    """What the card is, and which of its machines are not to be had on demand, or not at all."""
    card = find_gpu(accelerator)
    if card is not None:
        low, high = f"{card.lowest_total_gib:g}", f"{card.total_gib:g}"
        total = high if low == high else f"{low} to {high}"
        capability = written(card.compute_capability)
        yield f"Card: {total} GiB, compute capability {capability}, {card.link or 'link unknown'}."
    for ways, machines in groupby(rows, key=lambda row: row.shape.sold_as):
        if "on-demand" not in ways:
            yield f"Sold only as {', '.join(ways)}: {', '.join(row.shape.machine_type for row in machines)}."
    if missing := unplanned(accelerator):
        yield f"Not planned, since no source states their memory: {', '.join(missing)}."


def _unpriced(offer: Offer) -> str:
    known = ", ".join(priced_regions(offer.accelerator))
    return f"No price is known for {offer.region}; regions with prices: {known}. A stack may state its own in `prices`."
