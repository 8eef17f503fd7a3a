"""TGI's own interface, checked with the `text-generation` client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol

import httpx2

from l4serve.verification.checks import Check, CheckError, Finding, NotOfferedError, require
from l4serve.verification.http_probe import check_health, check_key, check_metrics, check_version, get_json, post
from l4serve.verification.latency import StreamClock
from l4serve.verification.target import Target

_PROMPT = "The capital of France is"
_OUTPUT_TOKENS = 16


class MissingClientError(RuntimeError):
    """The `text-generation` client is not installed; the message names the remedy."""


class _Client(Protocol):
    def generate(self, prompt: str, *, max_new_tokens: int) -> Any: ...
    def generate_stream(self, prompt: str, *, max_new_tokens: int) -> Iterator[Any]: ...


class TgiChecks:
    """The checks of one TGI server, in the order in which they run; raises MissingClientError without the client."""

    kind: ClassVar[str] = "tgi"

    @staticmethod
    def require() -> None:
        """Raises MissingClientError without the package text-generation."""
        require_client()

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client = _make_client(target)

    def checks(self) -> tuple[Check, ...]:
        """Every check; metrics come last, since they appear only after requests."""
        return (
            Check("health", lambda: check_health(self._target)),
            Check("version", lambda: check_version(self._target, "/info")),
            *((Check("key", lambda: check_key(self._target, "/generate")),) if self._target.guarded else ()),
            Check("model", self.model),
            Check("generate", self.generate),
            Check("generate stream", self.generate_stream),
            Check("context limit", self.context_limit),
            Check("metrics", lambda: check_metrics(self._target)),
        )

    def model(self) -> Finding:
        """The planned model is served, with the planned total of tokens."""
        info = get_json(self._target, "/info")
        model, total = info.get("model_id"), info.get("max_total_tokens")
        names, planned = self._target.served_names, self._target.max_model_len
        require(not names or model in names, f"the server serves {model}; the plan is {', '.join(names)}")
        require(planned is None or total == planned, f"max total tokens is {total}; the plan is {planned}")
        return Finding(f"{model}; at most {info.get('max_input_tokens')} tokens in, {total} in all")

    def generate(self) -> Finding:
        """An answer with text whose tokens are as many as it counts."""
        with _readable_errors():
            answer = self._client.generate(_PROMPT, max_new_tokens=_OUTPUT_TOKENS)
        require(bool(answer.generated_text), "the generated text is empty")
        details = answer.details
        _require_count(details.generated_tokens, len(details.tokens), details.finish_reason.value)
        return Finding(f"{details.generated_tokens} tokens, finish reason {details.finish_reason.value}")

    def generate_stream(self) -> Finding:
        """The same streamed: one event a token, details and the whole text in the last."""
        clock, last = StreamClock(), None
        try:
            with _readable_errors():
                for event in self._client.generate_stream(_PROMPT, max_new_tokens=_OUTPUT_TOKENS):
                    clock.tick()
                    last = event
        except OSError as error:  # requests' errors are OSErrors
            raise CheckError(f"the stream broke after {clock.arrivals} events") from error
        if last is None or last.details is None:
            raise CheckError(f"the stream ended after {clock.arrivals} events without its details")
        details = last.details
        require(bool(last.generated_text), "the stream's last event has no generated text")
        _require_count(details.generated_tokens, clock.arrivals, details.finish_reason.value)
        latency = clock.read(details.generated_tokens)
        return Finding(f"{details.generated_tokens} tokens, {latency}", latency)

    def context_limit(self) -> Finding:
        """Too long a prompt and too many new tokens are each refused with a 4xx, and the server goes on serving."""
        limit = self._target.max_model_len or get_json(self._target, "/info").get("max_total_tokens")
        if not isinstance(limit, int):
            raise NotOfferedError("neither the plan nor the server tells max total tokens; give --max-model-len")
        # A word is at least one token, so this prompt is over the limit for any tokenizer.
        prompt = self._refused("prompt tokens", "word " * (limit + 1), 1, limit)
        output = self._refused("prompt and new tokens", _PROMPT, limit, limit)
        answer = self._post(_PROMPT, 1)
        require(
            answer.status_code == 200,
            f"refusing too long a prompt left the server answering {answer.status_code}",
        )
        return Finding(f"more than {limit} tokens refused: in the prompt with {prompt}, in all with {output}")

    def _refused(self, what: str, prompt: str, new_tokens: int, limit: int) -> int:
        try:
            answer = self._post(prompt, new_tokens)
        except httpx2.TransportError as error:
            raise CheckError(f"{what} over {limit} broke the connection; the engine may have died") from error
        status = answer.status_code
        require(status != 200, f"{what} over the limit of {limit} were accepted")
        require(400 <= status < 500, f"{what} over {limit} ended in status {status}, no 4xx")
        return status

    def _post(self, prompt: str, new_tokens: int) -> httpx2.Response:
        body = {"inputs": prompt, "parameters": {"max_new_tokens": new_tokens}}
        return post(self._target, "/generate", body)


def require_client() -> None:
    """Raises MissingClientError where the `text-generation` client is not installed."""
    _client_class()


def _make_client(target: Target) -> _Client:
    client: _Client = _client_class()(target.base_url, headers=target.headers, timeout=target.timeout)
    return client


def _client_class() -> Any:
    try:
        from text_generation import Client
    except ImportError as error:
        raise MissingClientError(
            "checking TGI needs the text-generation client, which is not installed\n"
            "    fix: in the clone of this project: .venv/bin/pip install -e '.[text-generation]'"
        ) from error
    return Client


@contextmanager
def _readable_errors() -> Iterator[None]:
    """The client trusts every answer to be TGI's JSON, and an error's to have the field `error`."""
    try:
        yield
    except KeyError as error:
        raise CheckError(f"the answer is an error without TGI's field {error}") from error
    except ValueError as error:
        raise CheckError("the answer is not the JSON that TGI answers") from error


def _require_count(counted: int, received: int, finish_reason: str) -> None:
    require(counted == received, f"{received} tokens came and {counted} are counted")
    require(counted <= _OUTPUT_TOKENS, f"{_OUTPUT_TOKENS} tokens were asked for and {counted} came")
    require(
        finish_reason != "length" or counted == _OUTPUT_TOKENS,
        f"finish reason length after {counted} of {_OUTPUT_TOKENS} tokens",
    )
