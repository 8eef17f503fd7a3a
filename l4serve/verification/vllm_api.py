"""vLLM's checks in their order. The official client, a second of loading, comes when a server has answered."""

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from l4serve.verification.checks import Check
from l4serve.verification.http_probe import check_health, check_key, check_metrics, check_version
from l4serve.verification.pooling_api import PoolingChecks
from l4serve.verification.target import Target

if TYPE_CHECKING:
    from l4serve.verification.openai_api import OpenAiChecks


class VllmChecks:
    """The checks of one vLLM server, in the order in which they run."""

    kind: ClassVar[str] = "vllm"

    @staticmethod
    def require() -> None:
        """Nothing: the OpenAI client is a dependency."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @cached_property
    def _api(self) -> "OpenAiChecks":
        from l4serve.verification.openai_api import OpenAiChecks

        return OpenAiChecks(self._target)

    def checks(self) -> tuple[Check, ...]:
        """Every check; metrics come last, since some appear only after requests."""
        target = self._target
        pooling = None if target.purpose == "generate" else PoolingChecks(target, lambda: self._api.model())
        path = pooling.path if pooling else "/v1/completions"
        return (
            Check("health", lambda: check_health(target)),
            Check("version", lambda: check_version(target, "/version")),
            *((Check("key", lambda: check_key(target, path)),) if target.guarded else ()),
            Check("models", lambda: self._api.models(), prepare=lambda: self._api),
            *(pooling.checks() if pooling else self._generation()),
            Check("metrics", lambda: check_metrics(target)),
        )

    def _generation(self) -> tuple[Check, ...]:
        return (
            Check("completion", lambda: self._api.completion()),
            Check("completion stream", lambda: self._api.completion_stream()),
            Check("chat", lambda: self._api.chat()),
            Check("chat stream", lambda: self._api.chat_stream()),
            Check("token counts", lambda: self._api.token_counts()),
            Check("full context", lambda: self._api.full_context()),
            Check("context limit", lambda: self._api.context_limit()),
        )
