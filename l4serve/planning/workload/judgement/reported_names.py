"""What reports of measurements call weights, caches and releases, as an engine knows them."""

from __future__ import annotations

from dataclasses import replace

from l4serve.config.frozen import frozen
from l4serve.config.refusals.problems import refuse
from l4serve.planning.models.model_shape import ModelShape, QuantizationFacts

FOUR_BIT = {"awq", "awq_marlin", "gptq", "gptq_marlin", "marlin", "auto-round"}
EIGHT_BIT = {"compressed-tensors", "fbgemm_fp8", "modelopt"}
PLAIN_CACHES = ("bf16", "bfloat16", "fp16", "float16", "none", "auto")
"""A cache in the type of the activations."""


@frozen()
class Format:
    """A format of weights: the method by which an engine knows it, the width of a weight, and whether it is a
    floating-point one; None is whatever the checkpoint has."""

    method: str | None
    bits: int | None = None
    floats: bool | None = None

    def is_of(self, stored: QuantizationFacts) -> bool:
        """Whether quantised weights are in this format."""
        return self.bits in (None, stored.bits) and self.floats in (None, _has_floats(stored))


FLOATS = {"fp8", "fbgemm_fp8", "modelopt"}
"""Methods of floating-point weights, whose config.json need not say so."""
FORMATS = {
    **dict.fromkeys(("bf16", "bfloat16", "fp16", "float16", "none", "unquantized", "auto"), Format(None)),
    **dict.fromkeys(("gptq-int4", "gptq-4bit", "w4a16", "int4"), Format("gptq", 4)),
    **dict.fromkeys(("awq-int4", "awq-4bit", "int4-awq"), Format("awq", 4)),
    **dict.fromkeys(("gptq-int8", "gptq-8bit", "w8a16"), Format("gptq", 8)),
    "w8a8": Format("compressed-tensors", 8),
    **dict.fromkeys(("w8a8-fp8", "fp8-w8a8", "fp8-dynamic"), Format("compressed-tensors", 8, floats=True)),
    "fp8-online": Format("fp8", 8, floats=True),
    **dict.fromkeys(("w8a8-int8", "int8-w8a8", "int8"), Format("compressed-tensors", 8, floats=False)),
    **dict.fromkeys(("bnb", "bnb-nf4", "nf4"), Format("bitsandbytes", 4)),
    "nvfp4": Format("modelopt_fp4", 4, floats=True),
}
"""Formats by names that are no method of an engine."""
ONLINE_FP8 = "fp8"
"""A method of an engine, and what reports call every checkpoint with such weights."""


def as_checkpoint(shape: ModelShape, quantization: str | None) -> tuple[ModelShape, str | None]:
    """A model and the method that its engine is told.

    Where the method reads weights that were quantised beforehand, the same model stands for such a checkpoint, which
    names its method itself; so does one that is quantised and of which a report's name says no more than that. Raises
    ConfigError for a name that says something else of it.
    """
    plain = (quantization or "none").split(" (")[0].lower()
    named, stored = FORMATS.get(plain.replace("_", "-")), shape.quantization
    if stored is not None:
        if named is not None and not named.is_of(stored):
            what = f"{stored.bits:g}-bit weights of {stored.method}"
            refuse("engine.quantization", f"{shape.id} has {what}, which are not {plain}", "leave --quantization out")
        describes = named is not None or (plain == ONLINE_FP8 and _has_floats(stored))
        return shape, None if describes else plain
    method = plain if named is None else named.method
    if method in FOUR_BIT:
        bits = named.bits if named and named.bits else 4
        facts = QuantizationFacts(method=method, bits=bits, group_size=128, symmetric="gptq" in method)
    elif method in EIGHT_BIT:
        facts = QuantizationFacts(method=method, bits=8)
    else:
        return shape, method
    return replace(shape, quantization=facts), None


def _has_floats(stored: QuantizationFacts) -> bool:
    return stored.floats or stored.method in FLOATS


def cache_named(name: str | None) -> str | None:
    """The type of a cache as an engine is told it."""
    return None if name in PLAIN_CACHES else name and name.lower()


def release_named(name: str | None) -> str | None:
    """A release of which a report may say no more than its series, as `0.6.x`."""
    return name.removesuffix(".x") if name else None
