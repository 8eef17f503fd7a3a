"""Values of a plan as a report says them: short, and in words."""

import json
from collections.abc import Mapping
from typing import Any

from l4serve.config.secrecy.secret_shapes import excerpt

_LONGEST = 300
FIELDS = {
    "max_surge": "new ones beside the old: {}",
    "max_unavailable": "old ones taken away first: {}",
    "progress_deadline_seconds": "a pod must be ready in {} s",
    "await_seconds": "Pulumi waits {} s",
    "pods_disruptable": "pods that may be evicted at once: {}",
    "auto_upgrade": "upgrades {}",
    "auto_repair": "repairs {}",
    "batch_nodes": "nodes of a batch: {}",
    "batch_soak_seconds": "rest after a batch: {} s",
    "pool_soak_seconds": "rest after the pool: {} s",
    "pdb_timeout_seconds": "a pod whose budget is spent may stay {} s",
    "placement_policy": "placement policy {}",
    "max_run_seconds": "a node runs {} s at most",
    "throughput_mibps": "{} MiB/s",
    "scale_down_stabilization_seconds": "fewer pods after {} s",
    "min_replicas": "pods at least: {}",
    "max_replicas": "pods at most: {}",
    "mount_path": "mounted at {}",
    "read_only": "read only {}",
    "sub_path": "folder {}",
    "bucketName": "{}",
    "mountOptions": "mounted with {}",
    "value": "value {}",
    "engine_metric": "the engine's metric {}",
    "grace_seconds": "has {} s to end",
    "startup_period": "asked every {} s while it starts",
    "startup_failures": "unanswered {} times before it starts anew",
    "size_gb": "sizeGb {}",
    "node_path": "folder of the node {}",
    "node_labels": "labels of the nodes {}",
    "fill_type": "filled as {}",
    "compact_placement": "placement COMPACT {}",
}
"""What a field of a plan that has several words is called; other names are the user's own, and stay."""


def shown(value: Any) -> str:
    """A value of a plan, as short as it can be said."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = value or "none" if isinstance(value, str) else _flat(value)
    return excerpt(text, _LONGEST, f"... ({len(text):,} characters)")


def shown_edit(value: Any) -> str:
    """A value of a stack file; an empty mapping turns something on, and an empty text is written as one."""
    return json.dumps(value) if value in ({}, "") else shown(value)


def _flat(value: Any) -> str:
    if isinstance(value, list):
        items = [_item(item) for item in value]
        apart = (
            "; " if any(isinstance(each, Mapping) for each in value) or any(", " in each for each in items) else ", "
        )
        return apart.join(items) or "none"
    if isinstance(value, Mapping):
        # What is not set on either side of a line says nothing, and on one side its absence does.
        return ", ".join(_field(*item) for item in value.items() if _says(*item)) or "none"
    return json.dumps(value, sort_keys=True)


def _item(item: Any) -> str:
    """An item of a list; what belongs together in one, such as a bucket and a role on it, stands side by side."""
    return " ".join(map(shown, item)) if isinstance(item, list) else _written(item)


def _says(name: str, value: Any) -> bool:
    """Whether a field tells of anything; a name of the user's own does, with an empty text too."""
    return value is not None and not (value == "" and name in FIELDS)


def _field(name: str, value: Any) -> str:
    said = FIELDS.get(name)
    if said is None:
        return f"{name} {_written(value)}"
    return said.format(shown(value))


def _written(value: Any) -> str:
    """A value among others, whose empty text is marked as one."""
    return '""' if value == "" else shown(value)
