"""The Kubernetes service account of a workload's pods, and what it may do in Google Cloud."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from l4serve.config.keys.base import ConfigModel, ObjectName
from l4serve.config.words.written_forms import BUCKET_NAME

BucketName = Annotated[str, Field(pattern=BUCKET_NAME, min_length=3, max_length=63, examples=["my-models"])]
_NAME = r"[a-z][a-z0-9-]{4,28}[a-z0-9]"
_PROJECT = rf"{_NAME}(\.[a-z0-9-]+)*"
_SERVICE_AGENT = re.compile(r"service-[0-9]{6,20}@.+\.iam\.gserviceaccount\.com")
"""Named by a project. Source: https://docs.cloud.google.com/iam/docs/service-account-types (2026-11-27)"""


def _of_ones_own(value: str) -> str:
    """Refuses an account that Google Cloud makes, manages and uses for a service of its own."""
    if _SERVICE_AGENT.fullmatch(value):
        what = f"{value} is a service agent, which Google Cloud manages and which only its service acts as"
        raise ValueError(f"{what}; name a service account that you made, such as NAME@PROJECT.iam.gserviceaccount.com")
    return value


GoogleAccount = Annotated[
    str,
    Field(
        # The account that a project has by default is one as well: of Compute Engine by number, of App Engine by id.
        pattern=(
            rf"^({_NAME}@{_PROJECT}\.iam|[0-9]{{1,20}}-compute@developer|{_PROJECT}@appspot)"
            r"\.gserviceaccount\.com$"
        ),
        max_length=264,
        examples=["llm-pods@my-project.iam.gserviceaccount.com"],
    ),
    AfterValidator(_of_ones_own),
]


class ServiceAccount(ConfigModel):
    """Identity of the pods; no pod holds a token of it, Workload Identity gives it out by the metadata server."""

    name: ObjectName | None = None
    """A service account that the namespace already holds; unset makes one of the workload's name."""
    google_account: GoogleAccount | None = None
    """Google service account that the pods act as, by annotation and role; unset is the pods' own principal."""
    buckets: Mapping[BucketName, Literal["read", "write"]] = {}
    """Cloud Storage buckets that the pods may read, or read and write, by a role on the bucket."""
