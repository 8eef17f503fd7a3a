"""The Kubernetes service account of a workload's pods, and what it may do in Google Cloud."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from l4serve.config.base import ConfigModel, ObjectName
from l4serve.config.written_forms import BUCKET_NAME

BucketName = Annotated[str, Field(pattern=BUCKET_NAME, min_length=3, max_length=63, examples=["my-models"])]
_NAME = r"[a-z][a-z0-9-]{4,28}[a-z0-9]"
GoogleAccount = Annotated[
    str,
    Field(
        # The account that a project has by default is one as well: of Compute Engine by number, of App Engine by id.
        pattern=(
            rf"^({_NAME}@{_NAME}(\.[a-z0-9-]+)*\.iam|[0-9]{{1,20}}-compute@developer|{_NAME}@appspot)"
            r"\.gserviceaccount\.com$"
        ),
        max_length=264,
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
