"""What kernels make of a card's rates: few constants, each with a physical meaning (`data/kernels.yaml`)."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Literal

from pydantic.alias_generators import to_camel

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen

WeightKind = Literal["plain", "eightBit", "fourBit"]


@frozen(kw_only=True)
class KernelRates:
    """Shares are of the card's achieved rate; times are seconds.

    `read_*` is what reading weights of a kind gets of the bandwidth, `compute_*` what multiplying them gets of the
    dense rate. `overlap` is how reading and multiplying add up, `unpack_overlap` how unpacking and multiplying do.
    `flash`, `flashinfer` and `other` are attention's shares of the bandwidth while it reads the KV cache,
    `flash_loss` is what FLASH_ATTN loses with each doubling of a step's sequences, and `flash3` and `flash3_fp8` the
    shares of its kernels of Hopper, which lose none, with a cache of 16 and of 8 bits. `near_read` is how many times as
    fast sequences read what another one has just read. `host` and `layer` are the parts of a step that no byte
    explains; `request` is what the first token of a request takes beside its steps. `least_step` is what the host takes
    for a step, which the card's work hides once it takes longer, and `sequence` what it takes to hand out a token of
    each, beside the next step. `adapter_layer` is what the kernels of adapters take for each layer, and `adapter_read`
    the bytes of them that an SM reads in the time in which it unpacks a 4-bit weight.
    """

    read_plain: float
    read_eight_bit: float
    read_four_bit: float
    compute_plain: float
    compute_fp8: float
    compute_int8: float
    compute_four_bit: float
    compute_attention: float
    flash: float
    flash_loss: float
    flash3: float
    flash3_fp8: float
    flashinfer: float
    flashinfer_fp8: float
    other: float
    near_read: float
    host: float
    layer: float
    request: float
    activations: float
    sample_passes: float
    overlap: float
    unpack_overlap: float
    least_step: float
    sequence: float
    adapter_layer: float
    adapter_read: float


def measured_engine() -> str:
    """The engine whose kernels the constants are of."""
    return str(load_data(__file__, "kernels.yaml")["engine"])


@cache
def kernel_rates() -> KernelRates:
    """The constants of the data file."""
    table = load_data(__file__, "kernels.yaml")["constants"]
    return KernelRates(**{field.name: float(table[to_camel(field.name)]["value"]) for field in fields(KernelRates)})
