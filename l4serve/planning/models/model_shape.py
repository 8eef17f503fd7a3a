"""The facts of one model that decide how much memory it takes."""

from __future__ import annotations

from enum import StrEnum

from l4serve.config.frozen import frozen
from l4serve.planning.models.purpose import Purpose


class LayerKind(StrEnum):
    """How one decoder layer keeps its past."""

    FULL = "full"
    SLIDING = "sliding"
    LINEAR = "linear"
    BOTH = "both"
    """Attention and a state side by side, each with its own part of the cache (Falcon-H1)."""
    NONE = "none"


@frozen(kw_only=True)
class MoeFacts:
    """Mixture-of-experts shape. Widths are in elements.

    `latent_size` is the width of the space between which and the hidden state each layer projects, where its experts
    work in one (Nemotron 3 Super); None where they take the hidden state as it is.
    """

    num_experts: int
    num_experts_per_tok: int
    expert_intermediate_size: int
    shared_intermediate_size: int = 0
    num_dense_layers: int = 0
    expert_bias: bool = False
    latent_size: int | None = None


@frozen(kw_only=True)
class MlaFacts:
    """Multi-head latent attention (DeepSeek V2 and later). Ranks and head widths are in elements."""

    kv_lora_rank: int
    q_lora_rank: int | None
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int


@frozen(kw_only=True)
class LinearStateFacts:
    """Gated linear attention (Qwen3-Next, Qwen3.5) or Mamba: a fixed state per sequence in place of a growing cache.

    Mamba 2 in these words: groups are key heads, the state's size is the width of a key head. Mamba 1 has a value head
    of one element for each channel and no key heads; `step_rank` is the rank of its time step. A short convolution has
    such value heads and keys of no width: all of its state are the last tokens that it sees. `gates` are numbers that
    each value head takes of a token beside its values. `chunk` is what a block holds a multiple of where states of
    prefixes are kept. `state_dtype` is the type that the file asks for the recurrent part; None leaves the type of the
    activations.
    """

    num_key_heads: int
    num_value_heads: int
    key_head_dim: int
    value_head_dim: int
    conv_kernel: int
    state_dtype: str | None = None
    gates: int = 2
    step_rank: int = 0
    chunk: int = 0

    @property
    def is_gated(self) -> bool:
        """Whether it is gated linear attention, which takes two numbers for each value head."""
        return self.gates > 1


@frozen(kw_only=True)
class VisionFacts:
    """A vision tower and its largest item. Widths are in elements.

    `patch_elements` is what one patch holds of the picture, `tokens_per_item` the most tokens that the processor makes
    of one item (None where no source says it), `patches_per_token` how many patches become one token, `output_copies`
    how many vectors of the decoder's width each token gets (more than one with deepstack). A tower with `steps` encodes
    a video as so many largest pictures as the context holds, one for two frames (Qwen2 and 2.5 VL). `frames` is what
    the largest item is encoded in, each of `frame_patches`, where the tower looks positions up by a vector of zeros and
    a one over `positions` places (Gemma 4); 0 elsewhere. A `copied` tower lies whole on every rank. `is_measured` is
    False where its peak is known from the engine's source alone. `video_budget` are the tokens that a video counts for
    where a release counts the words of its timestamps too (Qwen3-VL), 0 elsewhere. `masked_patches` are those of the
    largest item where the tower attends over all items of a batch at once, by a mask over each pair of patches
    (Pixtral); 0 elsewhere. `copies` are vectors of its width that a patch holds at the widest point, None where they
    are those of most towers. A tower with a `fill_step` encodes a video, or a sound where it `hears`, of as many such
    steps of tokens as the context holds, at most `fill_most` where that is stated; `video_tokens` are those of the one
    video that is profiled in a picture's place (Qwen2.5-Omni), 0 elsewhere. An item that is read `whole` has tokens
    that attend to those after them too, so that one step must hold all of it. `each_sequence` is True where the profile
    encodes an item for each sequence, whatever a step holds (Llama 3.2 Vision, whose decoder attends to pictures apart
    from its prompt). A token of a filling video is made of `fill_patches` patches where they are not those of a
    picture's. A tower with a vocabulary of pictures gives each token a share of each of its `words`, which takes
    `word_bytes` bytes at the widest point (Ovis). `kept_mib` is what the first item leaves on the card beside what is
    handed on: tables, and what libraries allocate. A `singly` heard sound is encoded after the one before it. A tower
    that `loads_for_videos` takes none, and is left out only where videos are ruled out as pictures are.
    """

    hidden_size: int
    patch_elements: int
    patches_per_token: float
    tokens_per_item: int | None
    output_copies: int = 1
    videos: bool = False
    steps: bool = False
    frames: int = 0
    frame_patches: int = 0
    positions: int = 0
    copied: bool = False
    is_measured: bool = True
    video_budget: int = 0
    masked_patches: int = 0
    copies: float | None = None
    fill_step: int = 0
    fill_most: int = 0
    video_tokens: int = 0
    hears: bool = False
    whole: bool = False
    each_sequence: bool = False
    fill_patches: float = 0.0
    words: int = 0
    word_bytes: int = 0
    kept_mib: int = 0
    singly: bool = False
    loads_for_videos: bool = False

    @property
    def pixels_per_token(self) -> int:
        """Pixels of a picture that become one token."""
        return int(self.patch_elements // (3 * (2 if self.videos else 1)) * self.patches_per_token)


@frozen(kw_only=True)
class QuantizationFacts:
    """How a checkpoint's linear layers are stored.

    `method` is a key of the quantisation table (`memory/data/quantizations.json`); `bits` is the stored width of one
    weight; `group_size` is the number of weights that share one scale (-1: a whole row); `unquantized` names the
    parts that keep the model's dtype, `skipped` single modules as the file lists them; `floats` says that the stored
    weights are floating-point, as FP8's are; `activation_bits` is what a layer's inputs are quantised to, None for
    inputs in 16 bits and where the file says nothing. Where a file lists what it quantises, each with a width of its
    own, `modules` are their names and bits, `*` for any layer, and all others are plain. `narrow_cache` says that it
    asks for a KV cache of eight bits.
    """

    method: str
    bits: float
    group_size: int = -1
    symmetric: bool = True
    unquantized: tuple[str, ...] = ("embedding", "lm_head")
    skipped: tuple[str, ...] = ()
    floats: bool = False
    activation_bits: int | None = None
    modules: tuple[tuple[str, int], ...] = ()
    narrow_cache: bool = False


@frozen(kw_only=True)
class ModelShape:
    """One model's shape, as its config.json gives it.

    Widths are in elements, `checkpoint_bytes` is the published size of its weight files. `source` says where the
    figures come from. `rope_stretch` is how many times the stated positions one rotary table holds. `layer_kinds` has
    one entry for each decoder layer; empty means full attention in every layer. `is_encoder` models keep no cache.
    Sliding layers that see chunks keep the one that a token is in (Llama 4), whose length is the window less one.
    `per_layer_width` is that of the vector that each layer takes of each token from a table of its own (Gemma 3n and
    4), which has `per_layer_vocab_size` rows. `purpose` is what the model was made for where its class does not say it:
    a decoder trained for vectors, or an encoder with one class, which scores pairs. `mlp_layers` counts the layers with
    a dense MLP; None is every one that has no experts. `mlp_widths` is what the MLPs of all layers have together where
    each has a width of its own, of which `intermediate_size` is the largest. `extra_parameters` are those of towers,
    `audio_parameters` those of them that hear. `encoder_parameters` are those of an encoder that a decoder attends to,
    and of that attention; `encoder_positions` is what each sequence keeps of it. `is_seen` is False where no list of
    the Hub's models has the id.
    """

    id: str
    architecture: str
    num_hidden_layers: int
    hidden_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    intermediate_size: int
    tie_word_embeddings: bool
    max_position_embeddings: int
    torch_dtype: str
    source: str
    gated: bool = False
    gated_mlp: bool = True
    attention_bias: bool = False
    attention_output_gate: bool = False
    layer_kinds: tuple[LayerKind, ...] = ()
    sliding_window: int | None = None
    sees_chunks: bool = False
    full_head_dim: int | None = None
    full_key_value_heads: int | None = None
    full_keys_are_values: bool = False
    kv_shared_layers: int = 0
    rope_caches: int = 1
    rope_stretch: float = 1.0
    moe: MoeFacts | None = None
    mla: MlaFacts | None = None
    linear_state: LinearStateFacts | None = None
    mlp_layers: int | None = None
    mlp_widths: int | None = None
    encoder_parameters: int = 0
    encoder_positions: int = 0
    extra_parameters: int = 0
    audio_parameters: int = 0
    per_layer_width: int = 0
    per_layer_vocab_size: int = 0
    vision: VisionFacts | None = None
    is_encoder: bool = False
    purpose: Purpose | None = None
    quantization: QuantizationFacts | None = None
    checkpoint_bytes: int | None = None
    is_seen: bool = True

    def __hash__(self) -> int:
        """Of what tells models apart, since a shape is looked up in caches far more often than it is made."""
        return hash((self.id, self.architecture, self.num_hidden_layers, self.quantization is None))

    @property
    def is_moe(self) -> bool:
        return self.moe is not None

    @property
    def expert_inputs(self) -> int:
        """Width of what each expert takes and hands back."""
        return (self.moe.latent_size if self.moe else None) or self.hidden_size

    @property
    def is_hybrid(self) -> bool:
        """Whether some layers keep a fixed state in place of a KV cache."""
        return self.linear_state is not None

    @property
    def is_mamba(self) -> bool:
        """Whether the fixed states are those of Mamba layers or short convolutions."""
        state = self.linear_state
        return state is not None and (state.chunk > 0 or state.step_rank > 0 or not state.key_head_dim)

    @property
    def attends(self) -> bool:
        """Whether some layer looks back at keys and values; without one no position is too far."""
        return self.count_layers(LayerKind.FULL) + self.count_layers(LayerKind.SLIDING) > 0

    def count_layers(self, kind: LayerKind) -> int:
        """The number of decoder layers of this kind; one that attends and keeps a state is of both kinds."""
        if not self.layer_kinds:
            return self.num_hidden_layers if kind is LayerKind.FULL else 0
        both = self.layer_kinds.count(LayerKind.BOTH) if kind in (LayerKind.FULL, LayerKind.LINEAR) else 0
        return self.layer_kinds.count(kind) + both

    def count_caches(self, kind: LayerKind) -> int:
        """The layers of this kind that keep keys and values; the last `kv_shared_layers` read those of earlier ones."""
        owned = self.num_hidden_layers - self.kv_shared_layers
        if not self.layer_kinds:
            return owned if kind is LayerKind.FULL else 0
        return self.count_layers(kind) - self.layer_kinds[owned:].count(kind)
