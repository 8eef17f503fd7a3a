"""A hypothesis strategy made from the JSON Schema of a stack file: any stack that an editor would not mark."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from l4serve.cli.commands.schema_command import stack_file_schema
from l4serve.planning.machines.shapes import all_shapes, default_accelerator
from l4serve.planning.models.catalogue import all_models
from l4serve.planning.models.model_shape import ModelShape

_SCHEMA = stack_file_schema()
_DEFINITIONS = _SCHEMA["$defs"]
_SERVING = _SCHEMA["properties"]["config"]["properties"]["gke-llm-serving:serving"]
_SMALL = {"minItems": 0, "maxItems": 2}
_LARGEST = 2**20


def _strangeness(model: ModelShape) -> tuple[bool, int]:
    """Small decoders of text come first, for hypothesis draws what is first most: every engine serves them."""
    return model.is_encoder or model.encoder_positions > 0, model.num_hidden_layers * model.hidden_size


LIKELY: Mapping[str, st.SearchStrategy[Any]] = {
    "machineType": st.sampled_from([shape.machine_type for shape in all_shapes(default_accelerator())]),
    "location": st.sampled_from(["us-central1", "europe-west4"]),
    "zones": st.just([]),
    "id": st.sampled_from([model.id for model in sorted(all_models(), key=_strangeness)]),
    "maxModelLen": st.sampled_from([1024, 4096, 8192, 32768]),
    "replicas": st.integers(0, 3),
    "maxNodes": st.integers(1, 6),
    "minNodes": st.just(0),
    "nodePool": st.sampled_from([None, "l4", "big"]),
}
"""Values that a plan may take, where any of the schema's would nearly always be refused."""

LEFT_OUT = frozenset(
    {"version", "image", "contract", "recipe", "config", "extraArgs", "computeClass", "computeClasses", "allowReplace"}
    | {
        "accelerator",
        "secondaryBootDisk",
        "reservation",
        "flexStart",
        "placement",
        "localSsd",
        "kubeconfig",
        "speculativeConfig",
    }
)
"""Fields whose sound values hang on others, which a strategy from the schema alone cannot know."""

HANGING = frozenset(
    {"allow", "attentionBackend", "chatTemplate", "context", "databaseEncryptionKey", "dtype", "generationConfig"}
    | {"huggingFace", "kvCacheDtype", "limits", "loadFormat", "lora", "loraAdapters", "maintenance", "network"}
    | {"networkOptions", "quantization", "quantize", "reasoningParser", "requests", "secretManager", "shm"}
    | {"subnetwork", "systemPool", "taints", "tokenizer", "toolCallParser", "nodeServiceAccount", "provisioning"}
)
"""Further fields that half of the stacks leave out: any value of the schema's is sound for few stacks."""
_PLAIN = st.shared(st.booleans(), key="plain")


def stacks() -> st.SearchStrategy[dict[str, Any]]:
    """The serving object of a stack. Most fields are left out, as people leave them out."""
    return _object(_SERVING, "serving").map(_named)


def _named(serving: dict[str, Any]) -> dict[str, Any]:
    pools = [*(serving.get("nodePools") or {}).values()]
    names = ("l4", "big", "third")
    return {**serving, "nodePools": dict(zip(names, pools, strict=False))} if pools else serving


def _value(schema: Mapping[str, Any], key: str) -> st.SearchStrategy[Any]:
    if key in LIKELY:
        return LIKELY[key]
    if "$ref" in schema:
        return _value(_DEFINITIONS[schema["$ref"].rsplit("/", 1)[-1]], key)
    if "if" in schema:
        return _value(schema["else"], key)
    if branches := [branch for branch in schema.get("allOf", ()) if "then" in branch]:
        return st.one_of([_branch(branch) for branch in branches])
    if "const" in schema or "enum" in schema:
        return st.sampled_from([schema["const"]] if "const" in schema else schema["enum"])
    for options in ("anyOf", "oneOf"):
        if options in schema:
            return st.one_of([_value(option, "") for option in schema[options]])
    kind = schema.get("type", "object" if "properties" in schema else None)
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            return _object(schema, key)
        case "array":
            most = min(schema.get("maxItems", 2), 2)
            return st.lists(_value(schema.get("items", {}), ""), min_size=schema.get("minItems", 0), max_size=most)
        case "string":
            return _text(schema)
        case "integer":
            low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
            return st.integers(low, min(schema.get("maximum", _LARGEST), max(low, _LARGEST)))
        case "number":
            return st.floats(
                schema.get("minimum", schema.get("exclusiveMinimum", 0)),
                schema.get("maximum", 1000),
                exclude_min="exclusiveMinimum" in schema,
            )
        case "boolean":
            return st.booleans()
    return st.none()


def _branch(branch: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One member of a union: its object, with the key by which it is told from the others."""
    told = {key: each["const"] for key, each in branch["if"]["properties"].items()}
    return _value(branch["then"], "").map(lambda value: {**value, **told})


def _text(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        limit = schema.get("maxLength", 60)
        return st.from_regex(schema["pattern"], fullmatch=True).filter(
            lambda text: len(text) <= limit and text.isascii()
        )
    return st.text("abc-./:_ 019", min_size=schema.get("minLength", 0), max_size=12)


def _object(schema: Mapping[str, Any], key: str) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        names = _text(schema["propertyNames"]) if "propertyNames" in schema else st.text("abc", min_size=1, max_size=5)
        inner = schema.get("additionalProperties", {})
        least = 1 if key in ("workloads", "nodePools") else 0
        if not isinstance(inner, Mapping):
            return st.just({})
        return st.dictionaries(names, _value(inner, ""), min_size=least, max_size=max(least, 2))
    usual = {"workloads", "nodePools", "kind", "machineType", "maxNodes"} & schema["properties"].keys()
    required = set(schema.get("required", ())) | (usual - {"machineType"} if key == "systemPool" else usual)
    fields = {name: _value(part, name) for name, part in schema["properties"].items()}
    must = {name: strategy for name, strategy in fields.items() if name in required}
    may = {name: strategy for name, strategy in fields.items() if name not in required | LEFT_OUT}

    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        sound = sorted(may.keys() - HANGING if draw(_PLAIN) else may.keys())
        chosen = draw(st.lists(st.sampled_from(sound), max_size=3, unique=True)) if sound else []
        return {name: draw(strategy) for name, strategy in (*must.items(), *((n, may[n]) for n in chosen))}

    return build()
