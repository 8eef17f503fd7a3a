"""What a server is expected to be: the plan's side of every check."""

from collections.abc import Mapping
from dataclasses import field

from l4serve.config.frozen import frozen
from l4serve.planning.models.purpose import Purpose


@frozen(kw_only=True)
class Target:
    """One server and what its plan promises. None and empty mean: not promised, so not compared."""

    base_url: str
    """Scheme, host and port, such as http://127.0.0.1:8000, without a path."""
    kind: str
    """The engine."""
    version: str
    """Version of the engine that the plan deploys."""
    served_names: tuple[str, ...] = ()
    """Names that requests may give as the model, first one preferred."""
    purpose: Purpose = "generate"
    """What the server answers with."""
    max_model_len: int | None = None
    """Prompt and output together, in tokens: vLLM's max model length, TGI's max total tokens."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Prometheus metrics that are always there: name to type (counter, gauge, histogram or summary)."""
    feature_metrics: Mapping[str, str] = field(default_factory=dict)
    """Metrics that a feature or an event brings: compared in type where they are there."""
    health_path: str = "/health"
    """Path that answers 200 while the engine lives."""
    metrics_path: str = "/metrics"
    """Path of the Prometheus exposition."""
    timeout: float = 60.0
    """Seconds that one check may take."""
    api_key: str | None = field(default=None, repr=False)
    """Bearer key, where the server wants one."""
    through_tunnel: bool = False
    """Whether it is reached by a port-forward, where its certificate names another host."""
    guarded: bool = False
    """Whether the plan has the server refuse requests without the key."""

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers of every request."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
