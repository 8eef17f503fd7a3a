"""What a stack promises to those who are served, and who is told when it is not kept."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from l4serve.config.keys.base import ConfigModel, PositiveInt
from l4serve.config.words.written_forms import IN_PROJECT

_Channel = Annotated[
    str,
    Field(
        pattern=rf"^{IN_PROJECT}notificationChannels/[0-9]+$",
        max_length=300,
        examples=["projects/my-project/notificationChannels/123"],
    ),
]


def _whole_page(value: str) -> str:
    page, section, _ = value.partition("#")
    if section:
        raise ValueError(f"each alert links to its own section below the address; write it as {page}")
    return value


_Address = Annotated[
    str,
    Field(pattern=r"^https?://[!-~]+$", max_length=500, examples=["https://wiki.example.com/runbook"]),
    AfterValidator(_whole_page),
]


class Objectives(ConfigModel):
    """What requests are promised; alerts are raised by how fast the rest of them is used up."""

    first_token_seconds: float = Field(2.5, gt=0, le=3600)
    """Seconds within which the first token comes; one of the bounds by which the engine counts."""
    inter_token_seconds: float = Field(0.1, gt=0, le=3600)
    """Seconds between two tokens of an answer; one of the bounds by which the engine counts."""
    within: float = Field(0.95, ge=0.94, le=0.9999)
    """Share of requests that both hold for."""
    errors: float = Field(0.01, gt=0, le=0.06)
    """Share of requests that may fail without breaking the promise."""
    queue: PositiveInt = 5
    """Requests that may wait on a pod before an alert is raised."""

    def over(self, others: Self) -> Self:
        """These promises, and the others' of what these do not state."""
        return others.model_copy(update={key: getattr(self, key) for key in self.model_fields_set})


class Alerts(ConfigModel):
    """Alerts on objectives and on their usual causes, one set for each workload."""

    via: Literal["rules", "policies"] = "rules"
    """Rules of Managed Service for Prometheus, whose alerts go to its alertmanager, or policies of Cloud Monitoring."""
    notification_channels: tuple[_Channel, ...] = ()
    """Channels of Cloud Monitoring that policies notify; none shows incidents in the console alone."""
    objectives: Objectives = Objectives.model_construct()
    """What every workload promises; one whose own `objectives` state a part of it keeps the rest."""
    runbook: _Address | None = None
    """Address of the runbook, to whose section each alert links; unset names the file of this project."""
