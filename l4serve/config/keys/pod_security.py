"""Who the engine's container runs as and where it writes: what Pod Security looks at."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from l4serve.config.keys.base import ConfigModel, Int, PositiveInt
from l4serve.config.words.written_forms import FOLDER

_LARGEST_ID = 2**31 - 1
Folder = Annotated[str, Field(pattern=FOLDER, max_length=200, examples=["/home/vllm"])]
"""A folder of the container, by its absolute path."""


class PodSecurity(ConfigModel):
    """Pod Security level of the pods, with user and writable folders; unset follows what is known of the image."""

    level: Literal["restricted", "baseline"] | None = None
    """Level that the pods keep; `baseline` runs the image as it is. The namespace enforces its workloads' lowest."""
    user: Annotated[PositiveInt, Field(le=_LARGEST_ID)] | None = None
    """Numeric user of the container; unset is the image's own, or one that its release runs as."""
    group: Annotated[Int, Field(ge=0, le=_LARGEST_ID)] | None = None
    """Numeric group of the container; unset is the image's own, else the number of the user."""
    home: Folder | None = None
    """Home folder with the engine's caches, an empty folder of the pod; unset is the image's own."""
    writable: tuple[Folder, ...] = ()
    """Further folders that the container writes to, each an empty one of the pod: all else is read-only."""

    @model_validator(mode="after")
    def _as_it_is(self) -> Self:
        set_too = {"user", "group", "home", "writable"} & self.model_fields_set
        if self.level == "baseline" and set_too:
            raise ValueError(f"level: baseline runs the image as it is; remove {', '.join(sorted(set_too))}")
        if self.user is None and self.group is not None:
            raise ValueError("group belongs to a user of your own; set user as well")
        return self
