"""The Kubernetes service account of a workload's pods, and what it may do in Google Cloud."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from l4serve.config.base import ConfigModel, ObjectName
from l4serve.config.written_forms import BUCKET_NAME

BucketName = Annotated[str, Field(pattern=BUCKET_NAME, min_length=3, max_length=63, examples=["my-models"])]
GoogleAccount = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com$",
        examples=["llm-pods@my-project.iam.gserviceaccount.com"],
    ),
]


class ServiceAccount(ConfigModel):
    """Identity of the pods; no pod holds a token of it, Workload Identity gives it out by the metadata server."""

    name: ObjectName | None = None
    """A service account that the namespace already holds; unset makes one of the workload's name."""
    google_account: GoogleAccount | None = None
    """Google service account that the pods act as, by annotation and role; unset is the pods' own principal."""
    buckets: Mapping[BucketName, Literal["read", "write"]] = {}
    """Cloud Storage buckets that the pods may read, or read and write, by a role on the bucket."""
