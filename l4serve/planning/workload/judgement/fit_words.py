"""What a plan says of the memory of a workload."""

from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.remedies import Remedy


def fit_text(fit: Fit) -> str:
    """The verdict with its figures and reasons."""
    verdict = "the model does not fit its GPU" if not fit.fits else "the model fits its GPU only within the uncertainty"
    if not fit.fits and fit.margin_is_uncertain:
        verdict = "the model may not fit its GPU: it is short by less than the uncertainty"
    numbers = (
        f"weights {fit.weights_gib:.2f}, activations {fit.activation_gib:.2f}, other {fit.non_torch_gib:.2f}, "
        f"CUDA graphs {fit.cuda_graph_gib:.2f}, KV cache {fit.kv_room_gib:.2f} GiB per GPU "
        f"(+-{fit.uncertainty_gib:.2f}); {fit.kv_cache_tokens} tokens of cache"
    )
    return "; ".join((verdict, numbers, *fit.reasons))


def told_cures(cures: tuple[Remedy, ...]) -> tuple[Remedy, ...]:
    """Those that a refusal names."""
    return cures[:3]


def fit_remedy(cures: tuple[Remedy, ...]) -> str:
    """The first few edits that help, as one text."""
    if not cures:
        return "take a smaller or quantised model, or cards with more memory: l4serve models --fits MACHINE tells which"
    return "; or ".join(cure.text for cure in told_cures(cures))
