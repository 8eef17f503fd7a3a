"""Whether a model fits a GPU, with every part of the answer."""

from __future__ import annotations

from l4serve.config.frozen import frozen


@frozen(kw_only=True)
class Fit:
    """The memory of one GPU rank. Figures are GiB for each rank, lengths are tokens; none is below 0.

    `kv_room_gib` is what is left for the cache, and `shortage_gib` what the rest alone lacks where it does not fit.
    `max_model_len` is the context that was judged, `largest_max_model_len` the longest that fits at these batch limits.
    `late_gib` is what the engine allocates after the cache and must find outside its share. `margin_is_uncertain` says
    that the answer would change within `uncertainty_gib`; `spare_gib` is the tighter of the two margins, inside the
    engine's share and beyond it, where known, and 0 where one lacks. `notes` say what an operator should know of a
    start that fits: a flag without effect, or a load that the memory left over cannot serve.
    """

    fits: bool
    margin_is_uncertain: bool
    weights_gib: float
    activation_gib: float
    non_torch_gib: float
    cuda_graph_gib: float
    workspace_gib: float
    late_gib: float
    kv_room_gib: float
    kv_cache_tokens: int
    max_concurrency: float
    max_model_len: int
    largest_max_model_len: int
    usable_gib: float
    total_gib: float
    uncertainty_gib: float
    spare_gib: float = 0.0
    shortage_gib: float = 0.0
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether it fits by more than the uncertainty."""
        return self.fits and not self.margin_is_uncertain

    @property
    def surest_max_model_len(self) -> int:
        """The longest context that leaves the uncertainty, and a tenth of it more, of the cache's room; what a tower
        takes for a longer one is not counted."""
        spared = 1.1 * self.uncertainty_gib / self.kv_room_gib if self.kv_room_gib > 0 else 1.0
        return int(self.largest_max_model_len * max(0.0, 1 - spared))
