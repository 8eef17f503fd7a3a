"""The models that a vLLM release serves, what kind each is, and what its class can do."""

import ast
from typing import Any

from scripts.contractgen.source_tree import Module, Named, SourceTree

_REGISTRY = "vllm.model_executor.models.registry"
_KINDS = {
    "_TEXT_GENERATION_MODELS": "text",
    "_MULTIMODAL_MODELS": "multimodal",
    "_EMBEDDING_MODELS": "embedding",
    "_LATE_INTERACTION_MODELS": "late interaction",
    "_REWARD_MODELS": "reward",
    "_TOKEN_CLASSIFICATION_MODELS": "token classification",
    "_SEQUENCE_CLASSIFICATION_MODELS": "classification",
    "_CROSS_ENCODER_MODELS": "classification",
    "_TRANSFORMERS_SUPPORTED_MODELS": "transformers",
    "_SPECULATIVE_DECODING_MODELS": "draft",
    "_TRANSFORMERS_MODELS": "backend",
    "_TRANSFORMERS_BACKEND_MODELS": "backend",
    "_FALLBACK_MODEL": "backend",
}
"""The registry's tables; the first that names an architecture says its kind."""

_TRAITS = {
    "SupportsLoRA": "lora",
    "SupportsPP": "pp",
    "HasInnerState": "state",
    "IsHybrid": "hybrid",
    "IsAttentionFree": "attention-free",
    "SupportsTranscription": "transcription",
    "SupportsV0Only": "v0-only",
    "SupportsEagle3": "eagle3",
}
_CLASS_FLAGS = {"supports_lora": "lora", "supports_pp": "pp", "packed_modules_mapping": "packed"}


def read_models(tree: SourceTree) -> dict[str, str]:
    """By architecture: its kind, then what its class can do, as words.

    `lora`, `pp`: adapters and pipeline stages; `packed`: the mapping that bitsandbytes needs; `experts`: an expert
    mapping, `experts?` where the class that would have it is chosen at run time; `sinks`: attention sinks.
    """
    registry = tree.module(_REGISTRY)
    assert registry is not None
    rows = _rows(registry)
    reader = _ClassReader(tree, {name: where for name, (_, where) in rows.items()})
    return {name: " ".join((kind.replace(" ", "-"), *reader.traits(*where))) for name, (kind, where) in rows.items()}


def read_dropped(tree: SourceTree) -> dict[str, str]:
    """Architectures that the release names as served by older ones: the last release, or the plugin's address."""
    registry = tree.module(_REGISTRY)
    assert registry is not None
    dropped: dict[str, str] = {}
    for table in ("_PREVIOUSLY_SUPPORTED_MODELS", "_OOT_SUPPORTED_MODELS"):
        definition = registry.runtime.get(table)
        if isinstance(definition, ast.Dict):
            dropped |= ast.literal_eval(definition)
    return dict(sorted(dropped.items()))


def _rows(registry: Module) -> dict[str, tuple[str, tuple[str, str]]]:
    rows: dict[str, tuple[str, tuple[str, str]]] = {}
    for table, kind in _KINDS.items():
        definition = registry.runtime.get(table)
        if not isinstance(definition, ast.Dict):
            continue
        for key, value in zip(definition.keys, definition.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(value, ast.Tuple):
                where = [element.value for element in value.elts if isinstance(element, ast.Constant)]
                rows.setdefault(str(key.value), (kind, (str(where[0]), str(where[1]))))
    return dict(sorted(rows.items()))


class _ClassReader:
    """Reads model classes, each once."""

    def __init__(self, tree: SourceTree, places: dict[str, tuple[str, str]]) -> None:
        self.tree, self.places = tree, places
        self.known: dict[tuple[str, str], tuple[str, ...]] = {}
        self.sinks: dict[str, bool] = {}

    def traits(self, relative: str, name: str) -> tuple[str, ...]:
        """What the class of that name in that module can do, sorted."""
        if (relative, name) not in self.known:
            self.known[relative, name] = self._read(relative, name)
        return self.known[relative, name]

    def _read(self, relative: str, name: str) -> tuple[str, ...]:
        found = self._find(relative, name)
        if found is None:
            return ()
        lineage = self._lineage(found)
        words = {_TRAITS[one.name] for one in lineage if one.name in _TRAITS}
        words |= {word for one in lineage for word in _own_flags(one.node)}
        words |= self._experts(lineage)
        if self._passes_sinks(found.module):
            words.add("sinks")
        return tuple(sorted(words))

    def _passes_sinks(self, module: Module) -> bool:
        """Whether any call in the module hands over attention sinks."""
        if module.name not in self.sinks:
            calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
            written = "sinks=" in module.path.read_text(encoding="utf-8")
            self.sinks[module.name] = written and any(k.arg == "sinks" for call in calls for k in call.keywords)
        return self.sinks[module.name]

    def _find(self, relative: str, name: str) -> Named | None:
        """The class, looked through adapters such as `Name = as_embedding_model(Other)`."""
        full = relative if relative.startswith("vllm.") else f"vllm.model_executor.models.{relative}"
        module = self.tree.module(full)
        found = self.tree.lookup(module, name) if module else None
        while found and isinstance(found.node, ast.Call) and found.node.args:
            inner = found.node.args[0]
            found = self.tree.lookup(found.module, inner.id) if isinstance(inner, ast.Name) else None
        return found

    def _lineage(self, found: Named) -> list[Named]:
        """The class and all that it derives from, those outside the tree left out."""
        lineage = [found]
        for base in found.node.bases if isinstance(found.node, ast.ClassDef) else ():
            inner = base.value if isinstance(base, ast.Subscript) else base
            inner = inner.args[0] if isinstance(inner, ast.Call) and inner.args else inner
            parent = self.tree.lookup(found.module, inner.id) if isinstance(inner, ast.Name) else None
            if parent is not None:
                lineage += self._lineage(parent)
        return lineage

    def _experts(self, lineage: list[Named]) -> set[str]:
        """Whether the class or a part that it builds maps experts; parts chosen at run time cannot be told."""
        if any(_has_method(one.node, "get_expert_mapping") for one in lineage):
            return {"experts"}
        open_end = False
        for one in lineage:
            for part in _parts(one.node):
                if part is None:
                    open_end = True
                    continue
                child = self._find(*self.places[part]) if part in self.places else self.tree.lookup(one.module, part)
                if child and any(_has_method(c.node, "get_expert_mapping") for c in self._lineage(child)):
                    return {"experts"}
        return {"experts?"} if open_end else set()


def _own_flags(node: ast.AST) -> set[str]:
    words: set[str] = set()
    for statement in node.body if isinstance(node, ast.ClassDef) else ():
        targets: list[Any] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id in _CLASS_FLAGS and not _is_false(statement):
                words.add(_CLASS_FLAGS[target.id])
    return words


def _is_false(statement: ast.Assign | ast.AnnAssign | ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return value is None or (isinstance(value, ast.Constant) and value.value is False)


def _has_method(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        isinstance(inner, ast.FunctionDef) and inner.name == name for inner in node.body
    )


def _parts(node: ast.AST) -> list[str | None]:
    """Classes that `self.x = ...` builds in the constructor; None for one that the registry chooses at run time."""
    parts: list[str | None] = []
    for inner in node.body if isinstance(node, ast.ClassDef) else ():
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            for call in (found for found in ast.walk(inner) if isinstance(found, ast.Call)):
                if isinstance(call.func, ast.Name):
                    chosen = call.func.id == "init_vllm_registered_model"
                    parts += _architectures(call) if chosen else [call.func.id]
    return parts


def _architectures(call: ast.Call) -> list[str | None]:
    for keyword in call.keywords:
        if keyword.arg == "architectures" and isinstance(keyword.value, ast.List):
            return [str(e.value) if isinstance(e, ast.Constant) else None for e in keyword.value.elts]
    return [None]
