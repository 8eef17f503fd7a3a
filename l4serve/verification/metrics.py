"""The metrics that a server exposes, compared with those that a contract names."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from l4serve.verification.checks import CheckError, require


def families(exposition: str) -> dict[str, str]:
    """Metric family name to type, of a text exposition; a counter's name without `_total`."""
    try:
        return {family.name: family.type for family in text_string_to_metric_families(exposition)}
    except ValueError as error:
        raise CheckError(f"the metrics are not in Prometheus' text format: {error}") from error


def compare(exposed: Mapping[str, str], always: Mapping[str, str], feature: Mapping[str, str]) -> str:
    """How many promised metrics are there; raises `CheckError` that names each one missing or of another type.

    `exposed` is what `families` returns. Metrics of `feature` may be missing, since the feature may be off.
    """
    missing = [name for name in always if _family(name, always[name]) not in exposed]
    promised = {**feature, **always}
    wrong = [
        f"{name} is a {found}, not a {kind}"
        for name, kind in promised.items()
        if (found := exposed.get(_family(name, kind), kind)) != kind
    ]
    problems = [f"missing: {', '.join(missing)}"] if missing else []
    require(not missing and not wrong, "; ".join(problems + wrong))
    features = sum(_family(name, kind) in exposed for name, kind in feature.items())
    more = f", and {features} of {len(feature)} that features bring" if feature else ""
    return f"all {len(always)} metrics of the contract{more}"


def _family(name: str, kind: str) -> str:
    return name.removesuffix("_total") if kind == "counter" else name
