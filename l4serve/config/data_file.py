"""Reads the project's own data: YAML and JSON files in the folder `data` beside the module that reads them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Built on libyaml where PyYAML has it, which is several times as fast."""
_TEXT, _LIST, _MAPPING, _MERGE = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map", "merge"))
_tag = cache(yaml.resolver.Resolver().resolve)


class _Loader(_BASE):  # type: ignore[misc]  # either class of PyYAML
    """Makes of our own files what SafeLoader makes of them, in two thirds of its time: a word is looked at once."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag of a node."""
        return _tag(kind, value, implicit)

    def descend_resolver(self, *_: Any) -> None:
        """No tag depends on a path."""

    ascend_resolver = descend_resolver

    def construct_document(self, node: Any) -> Any:
        """The value of a document, an alias written out."""
        return self._value(node)

    def _value(self, node: Any) -> Any:
        if node.tag == _TEXT:
            return node.value
        if node.tag == _LIST:
            return [self._value(each) for each in node.value]
        if node.tag == _MAPPING:
            if any(key.tag == _MERGE for key, _ in node.value):
                self.flatten_mapping(node)
            return {self._value(key): self._value(value) for key, value in node.value}
        return self.construct_object(node, deep=True)


@cache
def load_data(module: str, name: str) -> Any:
    """The parsed file `data/<name>` beside a module, given as its `__file__`.

    The value is read once and shared: callers must not change it.
    """
    return read_data(Path(module).parent / "data" / name)


@cache
def read_data(path: Path) -> Any:
    """The parsed YAML or JSON file, read once."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - both loaders are safe ones
