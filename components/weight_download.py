"""The program of the Job that fills a disk with a model's files, and the variables that it reads."""

from __future__ import annotations

from collections.abc import Mapping

from l4serve.planning.workload.reach.closed_ways import ways_out
from l4serve.planning.workload.workload_plan import WorkloadPlan

DOWNLOAD = """\
import os
from huggingface_hub import HfApi, snapshot_download

model, revision = os.environ["MODEL_ID"], os.environ.get("MODEL_REVISION") or None
files = HfApi().list_repo_files(model, revision=revision)
skipped = ["*.gguf", "*.h5", "*.msgpack", "*.onnx*", "*.ot", "*.pth"]
skipped += [f"*/*.{kind}" for kind in ("safetensors", "bin", "pt")]
if os.environ.get("LOAD_FORMAT") == "mistral":
    skipped += ["model*.safetensors", "pytorch_model*"]
elif any(name.startswith("model") and name.endswith(".safetensors") for name in files):
    skipped += ["consolidated*", "pytorch_model*"]
snapshot_download(model, revision=revision, local_dir="/fill", ignore_patterns=skipped)
"""
"""What engines load lies beside config.json; the same weights in other formats and folders would overflow the disk."""


def download_variables(plan: WorkloadPlan) -> Mapping[str, str]:
    """The variables of the program, the mirror and the proxies of the engine among them; the token's left out."""
    revision = plan.storage.store.revision if plan.storage.store else None
    formats = (word.partition("=")[2] for word in plan.engine.argv if word.startswith("--load-format="))
    named = {name: value for name, value in plan.engine.env.items() if name in ways_out()}
    return {
        **named,
        "MODEL_ID": plan.model.id,
        "MODEL_REVISION": revision or "",
        "LOAD_FORMAT": next(formats, ""),
        "HF_HOME": "/fill/.cache",
        "HOME": "/tmp",
        # Some releases keep 10 GB of what they downloaded a second time:
        # https://docs.rs/crate/xet-runtime/1.5.2/source/src/config/groups/chunk_cache.rs
        "HF_XET_CHUNK_CACHE_SIZE_BYTES": "0",
    }
