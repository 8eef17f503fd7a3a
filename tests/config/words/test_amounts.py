"""A remedy keeps what was written: a unit is converted into the key's, a time of day stays."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.words.amounts import in_unit_of, is_unit, moment
from tests import factories
from tests.factories import loaded

END = "2025-02-01T00:00:00Z"
UPGRADE = {"strategy": "blue-green"}


def refused(**edits: Any) -> str:
    """What a config with edits of its one workload, its pool and its cluster is told."""
    config = factories.serving(
        {"qwen": factories.workload(nodePool="l4", **edits.get("workload", {}))},
        pools={"l4": {"machineType": "g2-standard-12", "maxNodes": 2, **edits.get("pool", {})}},
    )
    config["cluster"] |= edits.get("cluster", {})
    with pytest.raises(ConfigError) as error:
        loaded(config)
    return str(error.value)


@pytest.mark.parametrize(
    ("edits", "mend"),
    [
        ({"workload": {"expose": {"timeoutSeconds": "1h"}}}, "write it as 3600"),
        ({"workload": {"expose": {"timeoutSeconds": "1h30m"}}}, "write it as 5400"),
        ({"workload": {"expose": {"timeoutSeconds": "5 minutes"}}}, "write it as 300"),
        ({"pool": {"upgrade": {**UPGRADE, "batchSoakSeconds": "10m"}}}, "write it as 600"),
        ({"pool": {"diskSizeGb": "1TB"}}, "write it as 1024"),
        ({"pool": {"diskSizeGb": "200 GiB"}}, "write it as 200"),
        ({"cluster": {"maintenance": {"start": "2025-01-04T05:30:00"}}}, "write it as '2025-01-04T05:30:00Z'"),
        (
            {"cluster": {"maintenance": {"exclusions": [{"name": "a", "start": "2025-01-04T05:30", "end": END}]}}},
            "write it as '2025-01-04T05:30:00Z'",
        ),
        ({"cluster": {"maintenance": {"start": "2025-01-04 05:30"}}}, "write it as '2025-01-04T05:30:00Z'"),
        ({"cluster": {"maintenance": {"start": "2025-01-04T05:30:00+02:00"}}}, "write it as '2025-01-04T03:30:00Z'"),
    ],
)
def test_a_unit_and_a_time_of_day_are_kept(edits: dict[str, Any], mend: str) -> None:
    assert f"fix: {mend}" in refused(**edits).replace('"', "'")


@pytest.mark.parametrize(
    "edits",
    [
        {"workload": {"expose": {"timeoutSeconds": "4kb"}}},
        {"pool": {"diskSizeGb": "100TB"}},
        {"pool": {"maxNodes": "2h"}},
        {"workload": {"engine": {"kind": "vllm", "version": "0.26.0", "maxModelLen": "4kb"}}},
        {"workload": {"resources": {"memory": "4.5KB"}}},
        {"workload": {"resources": {"cpu": "4GHz"}}},
        {"workload": {"resources": {"cpu": "4GB"}}},
        {"cluster": {"maintenance": {"start": "2025-01-04T25:30:00"}}},
    ],
)
def test_what_cannot_be_converted_gets_an_example_alone(edits: dict[str, Any]) -> None:
    said = refused(**edits)
    assert "fix: " in said
    assert "write it as" not in said


@pytest.mark.parametrize(
    ("key", "text", "number"),
    [
        ("consolidationMinutes", "2h", 120),
        ("consolidationMinutes", "90s", 1.5),
        ("firstTokenSeconds", "250ms", 0.25),
        ("timeoutSeconds", "60", 60),
        ("timeoutSeconds", "10M", None),
        ("timeoutSeconds", "1h x", None),
        ("maxReplicas", "2", None),
    ],
)
def test_the_unit_of_a_key(key: str, text: str, number: float | None) -> None:
    assert in_unit_of(key, text) == number


def test_what_is_counted_is_no_unit() -> None:
    assert [word for word in ("GPUs", "cores", "nodes", "tokens", "replicas", "x") if is_unit(word)] == []


def test_a_time_beyond_the_calendar_is_none() -> None:
    assert moment("0001-01-01T00:00:00+05:00") is None
    assert moment("soon") is None


@pytest.mark.parametrize(("text", "mend"), [("4GiB", "4G"), ("4GB", "4g"), ("4.5 GiB", "4.5G"), ("4Gi", "4G")])
def test_bytes_of_a_cache_keep_their_multiple(text: str, mend: str) -> None:
    engine = {"kind": "vllm", "version": "0.26.0", "kvCacheMemoryBytes": text}
    assert f"fix: write it as {mend}" in refused(workload={"engine": engine}).replace("'", "")
