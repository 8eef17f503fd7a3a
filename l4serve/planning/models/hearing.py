"""The tower that hears of a model: its parameters and its largest sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from l4serve.planning.models.model_shape import VisionFacts
from l4serve.planning.models.vision import number

Config = Mapping[str, Any]

_WIDTHS = ("d_model", "hidden_size", "hidden_dim")


def count_audio_parameters(audio: object, text_hidden_size: int, *, conformer: bool = False) -> int:
    """Parameters of a Whisper-like encoder and its projection; 0 without an audio_config.

    A conformer's block has a second feed-forward part and a gated convolution: 3 more matrices of the width squared.
    """
    if not isinstance(audio, Mapping):
        return 0
    hidden = number(audio, "d_model", "hidden_size")
    width = number(audio, "encoder_ffn_dim", "intermediate_size") or 4 * hidden
    block = 4 * hidden * (hidden + 1) + (4 if conformer else 2) * hidden * (width + 1)
    block += 3 * hidden * hidden if conformer else 0
    convolutions = 3 * hidden * (number(audio, "num_mel_bins") + hidden)
    positions = number(audio, "max_source_positions") * hidden
    layers = number(audio, "encoder_layers", "num_hidden_layers", "conf_num_hidden_layers")
    return layers * block + convolutions + positions + hidden * text_hidden_size


def audio_facts(audio: Mapping[str, object], ears: Mapping[str, Any]) -> VisionFacts | None:
    """The shape of an encoder of sounds, each position of which hears two frames of the spectrum.

    `ears` says how many tokens a sound has at most (`tokens`), how many positions become one of them (`perToken`),
    whether the profile hears as many such sounds in a row as the context holds (`fills`), and whether one sound is
    heard after the other (`singly`).
    """
    hidden = number(audio, *_WIDTHS)
    if not hidden:
        return None
    return VisionFacts(
        hidden_size=hidden,
        patch_elements=2 * number(audio, "num_mel_bins") or number(audio, "input_dim"),
        patches_per_token=ears["perToken"],
        tokens_per_item=ears["tokens"],
        copies=ears["copies"],
        fill_step=ears["tokens"] if ears.get("fills") else 0,
        hears=True,
        singly=bool(ears.get("singly", False)),
        kept_mib=ears.get("keptMib", 0),
    )


def _stacked(config: Config, audio: Config, text_hidden_size: int) -> int:
    """Whisper's encoder, and Ultravox's gated projection of stacked frames (UltravoxFeedForwardProjector, 0.26.0)."""
    frames, inner = number(config, "stack_factor") or 8, number(config, "hidden_size")
    projected = number(audio, "d_model") * frames * inner + inner // 2 * text_hidden_size
    return count_audio_parameters(audio, 0) + projected


def _windowed(config: Config, audio: Config, text_hidden_size: int) -> int:
    """Granite's conformer, and the queries that window after window answers (granite_speech.py, 0.26.0)."""
    hidden, inner = number(audio, "hidden_dim"), number(audio, "num_heads") * number(audio, "dim_head")
    convolved = number(audio, "conv_expansion_factor") * hidden
    places = (2 * number(audio, "max_pos_emb") + 1) * number(audio, "dim_head")
    block = 4 * number(audio, "feedforward_mult") * hidden * hidden + 4 * hidden * inner + places
    block += convolved * (3 * hidden + number(audio, "conv_kernel_size"))
    ends = hidden * (number(audio, "input_dim") + 2 * number(audio, "output_dim"))
    queries = config["projector_config"] if isinstance(config.get("projector_config"), Mapping) else {}
    width = number(queries, "hidden_size")
    each = width * (8 * width + 2 * number(queries, "intermediate_size"))
    answers = number(queries, "num_hidden_layers") * each + width * text_hidden_size
    return number(audio, "num_layers") * block + ends + answers


def _cascaded(config: Config, audio: Config, text_hidden_size: int) -> int:  # noqa: ARG001
    """Phi-4-multimodal's conformer, its convolutions, and a projection each for speech and for sounds beside pictures.

    Source: AudioEmbedding of vllm/model_executor/models/phi4mm_audio.py, v0.26.0.
    """
    hidden = number(audio, "attention_dim")
    block = hidden * (6 * number(audio, "linear_units") + 8 * hidden)
    projected = 2 * text_hidden_size * (hidden + text_hidden_size)
    return number(audio, "num_blocks") * block + 12 * hidden * hidden + projected


COUNTS: Mapping[str, Callable[[Config, Config, int], int]] = {
    "stacked": _stacked,
    "windowed": _windowed,
    "cascaded": _cascaded,
}
"""How the parameters of a tower are counted that is not Whisper's alone, given the file, the tower and the decoder."""
