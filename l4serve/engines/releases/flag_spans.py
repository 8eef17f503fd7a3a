"""Which flag or variable a typed field becomes, release by release."""

from itertools import groupby

from pydantic.alias_generators import to_snake

from l4serve.config.frozen import frozen
from l4serve.engines.releases.contract import contract_versions, load_contract
from l4serve.engines.releases.field_flags import LORA_FLAGS, NO_FLAG, flag_names


@frozen()
class FlagSpan:
    """Neighbouring releases that take a field in the same way."""

    flag: str | None
    """Flag or variable; None where these releases have neither."""
    first: str
    last: str
    engine: str

    @property
    def releases(self) -> str:
        """The releases in words."""
        return f"{self.engine} {self.first}" + (f" to {self.last}" if self.last != self.first else "")


def flag_spans(kind: str, key: str) -> tuple[FlagSpan, ...]:
    """The spans of a typed field, given as YAML writes it, or of a key of `lora`; empty where it becomes no flag."""
    if to_snake(key) in NO_FLAG or ("." in key and key not in LORA_FLAGS):
        return ()
    names = (LORA_FLAGS[key],) if key in LORA_FLAGS else flag_names(kind, to_snake(key))
    found = [(version, _carrier(kind, version, names)) for version in contract_versions(kind)]
    spans = []
    for flag, group in groupby(found, key=lambda pair: pair[1]):
        versions = [version for version, _ in group]
        spans.append(FlagSpan(flag, versions[0], versions[-1], kind))
    return tuple(spans)


def _carrier(kind: str, version: str, names: tuple[str, ...]) -> str | None:
    contract = load_contract(kind, version)
    return next((n for n in names if (n in contract.env if not n.startswith("--") else contract.flag(n))), None)
