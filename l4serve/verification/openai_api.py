"""vLLM's OpenAI-compatible interface, checked with the official client."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx2
from openai import APIConnectionError, APIStatusError, BadRequestError, OpenAI, Stream
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam

from l4serve.verification.checks import CheckError, Finding, NotOfferedError, require
from l4serve.verification.http_client import client
from l4serve.verification.latency import Latency, StreamClock
from l4serve.verification.target import Target

_AnyStream = Stream[Completion] | Stream[ChatCompletionChunk]

_PROMPT = "The capital of France is"
_MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Name the capital of France."}]
_PROMPT_IDS = list(range(10, 26))
_OUTPUT_TOKENS = 16
_LONGEST_PROMPT = 32_768
# vLLM's own parameters: without an end before max_tokens the count is exact, and no token is left out of the text.
_EXACT = {"ignore_eos": True, "skip_special_tokens": False}


class OpenAiChecks:
    """What the client finds of one vLLM server."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client = OpenAI(
            base_url=target.base_url.rstrip("/") + "/v1",
            api_key=target.api_key or "none",
            timeout=target.timeout,
            max_retries=0,
            http_client=client(target, follow_redirects=True),
        )

    def models(self) -> Finding:
        """Every served name is listed, with the planned context length."""
        lengths = self._listed()
        absent = [name for name in self._target.served_names if name not in lengths]
        require(
            not absent,
            f"not served: {', '.join(absent)}; the server lists {', '.join(lengths) or 'no model'}",
        )
        name = self.model()
        planned, serves = self._target.max_model_len, lengths.get(name)
        require(
            planned is None or serves in (None, planned),
            f"{name} is served with a max model length of {serves}; the plan is {planned}",
        )
        return Finding(f"{', '.join(lengths)}; max model length {serves if serves is not None else 'not told'}")

    def completion(self) -> Finding:
        """A completion of a text prompt: a choice with text, the right model, consistent counts."""
        answer = self._complete(_PROMPT)
        self._require_model(answer.model)
        require(bool(answer.choices), "the answer has no choices")
        choice = answer.choices[0]
        require(bool(choice.text), "the answer's text is empty")
        _require_usage(answer.usage, _OUTPUT_TOKENS)
        require(
            choice.finish_reason == "length",
            f"finish reason {choice.finish_reason!r}, where length was asked for",
        )
        return Finding(f"{_OUTPUT_TOKENS} tokens, finish reason {choice.finish_reason}")

    def completion_stream(self) -> Finding:
        """The same streamed: tokens over time, a finish reason, counts at the end."""

        def open_stream() -> Stream[Completion]:
            return self._client.completions.create(
                model=self.model(),
                prompt=_PROMPT,
                max_tokens=_OUTPUT_TOKENS,
                temperature=0,
                stream=True,
                stream_options={"include_usage": True},
                extra_body=_EXACT,
            )

        return self._timed(open_stream)

    def chat(self) -> Finding:
        """A chat answer: a message with text, the right model, consistent counts."""
        try:
            answer = self._client.chat.completions.create(
                model=self.model(),
                messages=_MESSAGES,
                max_tokens=_OUTPUT_TOKENS,
                temperature=0,
                extra_body=_EXACT,
            )
        except BadRequestError as error:
            raise _without_template(error) from error
        require(isinstance(answer, ChatCompletion), "the answer is not JSON")
        self._require_model(answer.model)
        require(bool(answer.choices), "the answer has no choices")
        choice = answer.choices[0]
        require(bool(_chat_text(choice.message)), "the answer's message is empty")
        _require_usage(answer.usage, _OUTPUT_TOKENS)
        return Finding(f"{_OUTPUT_TOKENS} tokens, finish reason {choice.finish_reason}")

    def chat_stream(self) -> Finding:
        """The same streamed."""

        def open_stream() -> Stream[ChatCompletionChunk]:
            return self._client.chat.completions.create(
                model=self.model(),
                messages=_MESSAGES,
                max_tokens=_OUTPUT_TOKENS,
                temperature=0,
                stream=True,
                stream_options={"include_usage": True},
                extra_body=_EXACT,
            )

        try:
            return self._timed(open_stream)
        except BadRequestError as error:
            raise _without_template(error) from error

    def token_counts(self) -> Finding:
        """A prompt given as token ids is counted exactly."""
        usage = self._complete(_PROMPT_IDS).usage
        _require_usage(usage, _OUTPUT_TOKENS)
        counted = usage.prompt_tokens if usage else 0
        require(counted == len(_PROMPT_IDS), f"{len(_PROMPT_IDS)} prompt tokens were sent and {counted} counted")
        return Finding(f"{counted} in, {_OUTPUT_TOKENS} out, as sent and asked for")

    def full_context(self) -> Finding:
        """A prompt that leaves room for one token is served: no lower limit, no lack of memory."""
        prompt = self._limit() - 1
        if prompt > _LONGEST_PROMPT:
            raise NotOfferedError(f"a prompt of {prompt} tokens would hold up other requests for long")
        usage = self._complete([_PROMPT_IDS[0]] * prompt, max_tokens=1).usage
        _require_usage(usage, 1)
        return Finding(f"{prompt} prompt tokens served")

    def context_limit(self) -> Finding:
        """A prompt one token beyond the limit is refused with a 4xx, and the server goes on serving."""
        limit = self._limit()
        over = limit + 1
        try:
            self._complete([_PROMPT_IDS[0]] * over, max_tokens=1)
        except APIStatusError as error:
            require(
                400 <= error.status_code < 500,
                f"{over} prompt tokens ended in status {error.status_code}, no 4xx",
            )
            status = error.status_code
        except APIConnectionError as error:
            raise CheckError(f"{over} prompt tokens broke the connection; the engine may have died") from error
        else:
            raise CheckError(f"{over} prompt tokens were accepted, over the limit of {limit}")
        self._still_serves(over)
        return Finding(f"{over} prompt tokens refused with {status}; the limit is {limit}")

    def _limit(self) -> int:
        limit = self._target.max_model_len or self._listed().get(self.model())
        if limit is None:
            raise NotOfferedError("neither the plan nor the server tells a max model length; give --max-model-len")
        return limit

    def _still_serves(self, over: int) -> None:
        try:
            self._complete(_PROMPT_IDS, max_tokens=1)
        except (APIConnectionError, APIStatusError) as error:
            raise CheckError(f"refusing {over} prompt tokens left the server unable to serve") from error

    def _complete(self, prompt: str | list[int], max_tokens: int = _OUTPUT_TOKENS) -> Completion:
        answer = self._client.completions.create(
            model=self.model(), prompt=prompt, max_tokens=max_tokens, temperature=0, extra_body=_EXACT
        )
        # The client hands out the bare text of an answer that is not JSON.
        require(isinstance(answer, Completion), "the answer is not JSON")
        return answer

    def _timed(self, open_stream: Callable[[], _AnyStream]) -> Finding:
        # The first stream of a kind makes the client build its types, which would count as the server's time.
        self._read(open_stream)
        return self._read(open_stream)

    def _read(self, open_stream: Callable[[], _AnyStream]) -> Finding:
        clock = StreamClock()
        stream = open_stream()
        finish_reason, usage = None, None
        try:
            for event in cast(Iterator[Completion | ChatCompletionChunk], stream):
                usage = event.usage or usage
                for choice in event.choices or ():
                    finish_reason = choice.finish_reason or finish_reason
                    if _event_text(choice):
                        clock.tick()
        except (httpx2.TransportError, APIConnectionError) as error:
            raise CheckError(f"the stream broke after {clock.arrivals} events") from error
        require(clock.arrivals > 0, "the stream carried no text")
        require(
            finish_reason is not None,
            f"the stream ended after {clock.arrivals} events without a finish reason",
        )
        _require_usage(usage, _OUTPUT_TOKENS)
        require(
            clock.arrivals <= _OUTPUT_TOKENS,
            f"{clock.arrivals} events carried text, over {_OUTPUT_TOKENS} tokens",
        )
        latency: Latency = clock.read(_OUTPUT_TOKENS)
        return Finding(f"{_OUTPUT_TOKENS} tokens in {clock.arrivals} events, {latency}", latency)

    def model(self) -> str:
        """The name that requests ask for: the first that is served."""
        if self._target.served_names:
            return self._target.served_names[0]
        listed = self._listed()
        require(bool(listed), "the server lists no model, and none was named")
        return next(iter(listed))

    def _listed(self) -> dict[str, int | None]:
        try:
            page = self._client.models.list()
        except AttributeError as error:  # the client takes an answer that is not JSON for a page of models
            raise CheckError("the model list is not JSON") from error
        require(isinstance(page.data, list), "the model list's JSON has no list")
        return {model.id: (model.model_extra or {}).get("max_model_len") for model in page.data}

    def _require_model(self, model: str) -> None:
        require(model == self.model(), f"asked {self.model()} and {model} answered")


def _require_usage(usage: Any, output_tokens: int) -> None:
    require(usage is not None, "the answer counts no tokens")
    prompt, output, total = usage.prompt_tokens, usage.completion_tokens, usage.total_tokens
    require(output == output_tokens, f"{output_tokens} output tokens were asked for and {output} counted")
    require(isinstance(prompt, int) and prompt > 0, f"{prompt} prompt tokens were counted")
    require(prompt + output == total, f"{prompt} prompt and {output} output tokens do not add up to {total}")


def _event_text(choice: Any) -> str:
    return choice.text if hasattr(choice, "text") else _chat_text(choice.delta)


def _chat_text(message: Any) -> str:
    extra = message.model_extra or {}
    parts = (message.content, extra.get("reasoning"), extra.get("reasoning_content"))
    return "".join(part for part in parts if isinstance(part, str))


def _without_template(error: BadRequestError) -> Exception:
    if "chat template" in str(error).lower():
        return NotOfferedError("the model has no chat template, so the server answers no chat")
    return error
