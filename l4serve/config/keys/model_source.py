"""Where a model's weights come from in place of the Hub: a bucket, a volume, or a disk of the node."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from l4serve.config.keys.base import ConfigModel, ObjectName, PositiveInt
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.words.written_forms import BUCKET

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.~+=@-]*"


def _named_bucket(value: str) -> str:
    """Refuses a bucket whose name is shorter or longer than Cloud Storage takes: 3 to 63 characters, 222 with dots.

    https://cloud.google.com/storage/docs/buckets#naming
    """
    bucket = value.removeprefix("gs://").partition("/")[0]
    if not 3 <= len(bucket) <= (222 if "." in bucket else 63) or any(len(part) > 63 for part in bucket.split(".")):
        raise ValueError(
            f"{excerpt(bucket, 80)!r} is not the name of a bucket, which has 3 to 63 characters; name one that is there"
        )
    return value


BucketUri = Annotated[
    str,
    Field(pattern=rf"^gs://{BUCKET}(/{_PART})*/?$", max_length=500, examples=["gs://my-models/llama-3.1-8b"]),
    AfterValidator(_named_bucket),
]
"""A folder of a Cloud Storage bucket."""
Folder = Annotated[str, Field(pattern=rf"^({_PART}(/{_PART})*)?$", max_length=500, examples=["llama-3.1-8b"])]
"""A folder inside a volume; empty is the volume itself."""


class BucketSource(ConfigModel):
    """A folder of a Cloud Storage bucket, read by the pods' own identity; no Hugging Face token is needed."""

    kind: Literal["bucket"]
    """Reads the weights from a bucket of Cloud Storage."""
    uri: BucketUri
    """Folder with config.json, the tokenizer and safetensors, as gs://BUCKET/FOLDER."""
    reader: Literal["fuse", "streamer"] = "fuse"
    """Cloud Storage FUSE mounts it as files, or the engine streams it into the GPU by itself (vLLM from 0.11.1)."""
    cache: Literal["disk", "localSsd", "memory", "none"] = "disk"
    """Where FUSE keeps what it read, downloaded in parallel; the pod asks for as much room. None keeps nothing."""
    manage_access: bool = True
    """Grants the pods' identity the right to read the bucket; false leaves it to you."""

    @model_validator(mode="after")
    def _kept_by_fuse_alone(self) -> Self:
        if self.reader == "streamer" and "cache" in self.model_fields_set:
            raise ValueError("cache says where FUSE keeps files, and the streamer keeps none; remove it")
        return self


class ClaimSource(ConfigModel):
    """A PersistentVolumeClaim that the namespace already holds, with the weights on it."""

    kind: Literal["claim"]
    """Reads the weights from a claim that exists."""
    claim: ObjectName
    """Name of the PersistentVolumeClaim that the pods mount."""
    path: Folder = ""
    """Folder of the model in it; empty is the volume itself."""
    access: Literal["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"] = "ReadOnlyMany"
    """Access mode of the claim; ReadWriteOnce reaches one node alone, so an update ends the old pod first."""


class BootDiskSource(ConfigModel):
    """The secondary boot disk of the node pool, a disk image with the weights that each node has from its start."""

    kind: Literal["bootDisk"]
    """Picks the pool's `secondaryBootDisk`, with `mode: null`."""
    path: Folder = ""
    """Folder of the model on it; empty is the disk itself."""


class HyperdiskSource(ConfigModel):
    """A Hyperdisk ML disk that all pods of a zone read; a Job fills it once from the Hub before the first pod."""

    kind: Literal["hyperdisk"]
    """Picks a disk that the stack makes and fills."""
    size_gb: Annotated[PositiveInt, Field(ge=10, le=65536)] | None = None
    """Size in GB; unset holds the weights and a tenth more."""
    throughput_mibps: Annotated[PositiveInt, Field(ge=400, le=2_097_152)] = 400
    """Throughput that all pods share, in MiB/s; it is paid for whether it is used or not."""


ModelSource = Annotated[BucketSource | ClaimSource | BootDiskSource | HyperdiskSource, Field(discriminator="kind")]


class CompileCache(ConfigModel):
    """A volume that keeps what the engine compiled, so that the next start of the same model does not compile."""

    claim: ObjectName
    """Name of a PersistentVolumeClaim in the namespace that many pods may write, such as one of Filestore."""
    path: Folder = ""
    """Folder of the cache in it; each workload needs its own only where images differ."""
