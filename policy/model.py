"""What a policy looks at, and what a rule is. Nothing here imports a cloud SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from l4serve.config.frozen import frozen

CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
KUBERNETES_PROVIDER = "pulumi:providers:kubernetes"
SECRET = "kubernetes:core/v1:Secret"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
HTTP_ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
INFERENCE_POOL = "kubernetes:inference.networking.k8s.io/v1:InferencePool"
COMPUTE_CLASS = "kubernetes:cloud.google.com/v1:ComputeClass"


@frozen()
class Resource:
    """One resource of a stack: its type token, its inputs as the provider takes them, and its options."""

    type: str
    name: str
    props: Mapping[str, Any]
    protect: bool = False
    stack: str = ""


@frozen()
class Settings:
    """What a user may set for the pack."""

    max_usd_per_hour: float | None = None
    """Ceiling of the stack's cost; None takes the stack's own from data/ceilings.yaml."""
    prices: Mapping[str, float] | None = None
    """USD per hour by machine type, over the price table."""


@frozen()
class ResourceRule:
    """A rule about one resource: the check yields what is wrong, one sentence each."""

    name: str
    description: str
    types: Sequence[str]
    """Type tokens that it looks at; empty looks at all."""
    check: Callable[[Resource], Iterable[str]]

    def violations(self, resource: Resource) -> Iterator[str]:
        """What the resource does against the rule."""
        if not self.types or resource.type in self.types:
            yield from self.check(resource)


@frozen()
class StackRule:
    """A rule about a stack as a whole."""

    name: str
    description: str
    check: Callable[[Sequence[Resource], Settings], Iterable[str]]


def at(props: Any, path: str) -> Any:
    """The value at a dotted path of inputs; None where a step is missing. List steps are positions."""
    value = props
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def many(value: Any) -> Sequence[Any]:
    """A list input, whether it is missing, one item or several."""
    if value is None:
        return ()
    return value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
