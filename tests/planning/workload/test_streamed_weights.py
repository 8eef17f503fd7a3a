"""Weights that the engine streams from a bucket by itself: what it can load so, and the memory that it takes."""

from typing import Any

import pytest

from l4serve.config.problems import ConfigError
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories

STREAMED = {"kind": "bucket", "uri": "gs://models/qwen", "reader": "streamer"}
QWEN = "Qwen/Qwen2.5-1.5B-Instruct"


def planned(source: dict[str, Any], *, model: str = QWEN, engine: dict[str, Any] | None = None) -> WorkloadPlan:
    chat = factories.workload(model, engine=engine)
    chat["model"]["source"] = source
    return factories.planned(factories.serving({"chat": chat})).workloads[0]


@pytest.mark.parametrize("version", ["0.11.1", "0.20.0", "0.27.1"])
@pytest.mark.parametrize(
    ("model", "engine"), [(QWEN, {"quantization": "bitsandbytes"}), ("unsloth/Qwen2.5-1.5B-Instruct-bnb-4bit", {})]
)
def test_bitsandbytes_has_a_loader_of_its_own_that_reads_files(
    version: str, model: str, engine: dict[str, Any]
) -> None:
    engine = {**engine, "version": version}
    with pytest.raises(ConfigError) as refused:
        planned(STREAMED, model=model, engine=engine)
    (problem,) = refused.value.problems
    assert problem.path == "workloads.chat.model.source.reader"
    assert problem.remedy == "set model.source.reader: fuse"
    assert planned({**STREAMED, "reader": "fuse"}, model=model, engine=engine).engine.argv
