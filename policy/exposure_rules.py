"""Rules about what the internet reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from l4serve.engines.releases.profile import engine_kinds, engine_profile
from policy.model import (
    DEPLOYMENT,
    GATEWAY,
    HTTP_ROUTE,
    INFERENCE_POOL,
    SERVICE,
    Resource,
    Settings,
    StackRule,
    at,
    many,
)


def public_endpoints_have_keys(resources: Sequence[Resource], _: Settings) -> Iterator[str]:
    """Nobody on the internet uses a model, and pays with somebody else's GPUs, without a key."""
    doors = {_name(gateway) for gateway in resources if gateway.type == GATEWAY and _is_public(gateway)}
    for route in (each for each in resources if each.type == HTTP_ROUTE):
        if not any(at(parent, "name") in doors for parent in many(at(route.props, "spec.parentRefs"))):
            continue
        for selector in _routed(route, resources):
            for deployment in _selected(selector, resources):
                yield from _keyless(deployment, _paths(route))


def _keyless(deployment: Resource, paths: Sequence[str]) -> Iterator[str]:
    kind = _asks_for_key(deployment)
    if kind is None:
        yield f"{_name(deployment)} answers the internet and asks for no key; set apiKey"
    elif past_key := engine_profile(kind).past_key(paths):
        told = f"{_name(deployment)} answers the internet on {', '.join(past_key)}, where it asks for no key"
        yield f"{told}; leave that out of expose.paths"


def _paths(route: Resource) -> tuple[str, ...]:
    """Paths of the engine that a route serves: what it makes of the public ones."""
    found = []
    for rule in many(at(route.props, "spec.rules")):
        made = [at(each, "urlRewrite.path.replacePrefixMatch") for each in many(at(rule, "filters"))]
        public = [at(each, "path.value") for each in many(at(rule, "matches"))]
        found += [path for path in made if path] or [path for path in public if path]
    return tuple(found)


def _name(resource: Resource) -> str:
    return str(at(resource.props, "metadata.name"))


def _is_public(gateway: Resource) -> bool:
    return "external" in str(at(gateway.props, "spec.gatewayClassName"))


def _routed(route: Resource, resources: Sequence[Resource]) -> Iterator[Mapping[str, str]]:
    """The labels that each Service and each InferencePool behind a route selects."""
    backends = [b for rule in many(at(route.props, "spec.rules")) for b in many(at(rule, "backendRefs"))]
    targets = {(at(backend, "kind") or "Service", at(backend, "name")) for backend in backends}
    for each in resources:
        if each.type == SERVICE and ("Service", _name(each)) in targets:
            yield at(each.props, "spec.selector") or {}
        elif each.type == INFERENCE_POOL and ("InferencePool", _name(each)) in targets:
            yield at(each.props, "spec.selector.matchLabels") or {}


def _selected(selector: Mapping[str, str], resources: Sequence[Resource]) -> Iterator[Resource]:
    for each in resources:
        labels = at(each.props, "spec.template.metadata.labels") or {}
        if each.type == DEPLOYMENT and selector.items() <= labels.items():
            yield each


def _asks_for_key(deployment: Resource) -> str | None:
    """The engine whose key a Secret gives; None where none does."""
    variables = {engine_profile(kind).api_key_env: kind for kind in engine_kinds()}
    for container in many(at(deployment.props, "spec.template.spec.containers")):
        for variable in many(at(container, "env")):
            if at(variable, "valueFrom.secretKeyRef.name") and at(variable, "name") in variables:
                return variables[str(at(variable, "name"))]
    return None


EXPOSURE_RULES = (
    StackRule(
        "public-endpoints-have-keys", "Engines that the internet reaches ask for a key.", public_endpoints_have_keys
    ),
)
