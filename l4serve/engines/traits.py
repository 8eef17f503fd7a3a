"""What rules know of a model and a card, and what they say about a workload."""

from typing import Literal

from l4serve.config.frozen import frozen

Severity = Literal["error", "warning", "advice"]


@frozen()
class ModelTraits:
    """What rules look at in a model; None where nobody described it."""

    id: str
    architecture: str | None = None
    """The class that config.json names, such as GemmaForCausalLM."""
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    """Elements of one attention head."""
    hidden_size: int | None = None
    """Width of the model, which most classes divide by the heads where a release reads no head_dim."""
    vocab_size: int | None = None
    max_position_embeddings: int | None = None
    """Longest context in tokens."""
    dtype: str | None = None
    """Type of the checkpoint: bfloat16, float16 or float32."""
    quantization_method: str | None = None
    """The checkpoint's own quantisation; None in a described model means unquantised."""
    quantization_group: int | None = None
    """Weights that share one scale, those of a square block in an FP8 checkpoint; None or negative: a whole row."""
    quantization_bits: float | None = None
    """Stored width of one weight of a quantised checkpoint."""
    quantization_floats: bool | None = None
    """Whether a compressed-tensors checkpoint stores floating-point weights, as FP8 is."""
    quantization_symmetric: bool | None = None
    """Whether a quantised checkpoint has scales alone, with no zero points."""
    quantization_activation_bits: int | None = None
    """Bits that a compressed-tensors checkpoint quantises the inputs of its layers to; None leaves them in 16."""
    intermediate_size: int | None = None
    """Width of a feed-forward layer, in elements."""
    expert_intermediate_size: int | None = None
    """Width of one expert, in elements; None in a described model means no mixture of experts."""
    shared_intermediate_size: int | None = None
    """Width of what every token passes beside its experts, in elements; None or 0 where there is no such thing."""

    state_heads: int | None = None
    """Heads of a Mamba 2 layer; None in a described model means that it has no such layer."""
    state_groups: int | None = None
    """Groups of those heads that share what they keep."""
    purpose: str | None = None
    """What the checkpoint was made for where its class does not say it, such as embed."""
    latent_attention: bool = False
    """Whether keys and values are kept as one compressed vector (MLA), which every shard holds whole."""
    windowed: bool = False
    """Whether every layer sees a window of tokens alone, as in Mistral 7B's first release; not where only some do."""
    cache_groups: Literal["states", "windows"] | None = None
    """What a described model keeps beside keys and values of every token, so that its layers have unlike blocks."""

    @property
    def described(self) -> bool:
        """Whether more than the id, and the class that may follow from it, is known."""
        return self.vocab_size is not None


@frozen()
class GpuTraits:
    """What rules look at in a card; the compute capability is (8, 9) on Ada."""

    name: str
    compute_capability: tuple[int, int]
    memory_gib: float | None = None
    """Memory that the engine sees; None where nobody asked."""


@frozen()
class Verdict:
    """What a rule says about a workload."""

    rule_id: str
    severity: Severity
    field: str
    """Config path inside the workload, such as engine.kvCacheDtype."""
    reason: str
    remedy: str
    source: str
    changes: frozenset[str] = frozenset()
    """Keys of the workload beside the engine's that the remedy changes."""
