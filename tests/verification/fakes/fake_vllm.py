"""A process that speaks vLLM's HTTP interface, and breaks it in the one way it is told to."""

import json
import time
from collections.abc import Iterator
from typing import Any

from fake_http import STALL_SECONDS, TOKENS, Engine, serve

MODEL = "org/model"
POOLING = ("/v1/embeddings", "/score", "/rerank", "/classify", "/pooling")


class Vllm(Engine):
    def do_GET(self) -> None:  # noqa: N802 (the name that http.server calls)
        match self.path:
            case "/health":
                self.send_health()
            case "/version":
                self.send_version()
            case "/v1/models":
                self.send_models()
            case "/metrics":
                self.send_metrics()
            case _:
                self.send_json({"detail": "Not Found"}, 404)

    def do_POST(self) -> None:  # noqa: N802
        body = self.body()
        if self.fault == "key-wanted" and self.headers["Authorization"] != "Bearer k-very-secret":
            return self.refuse("Unauthorized", 401)
        if self.path == "/v1/chat/completions" and self.fault == "chat-no-template":
            return self.refuse("As of transformers v4.44, default chat template is no longer allowed", 400)
        if self.path in POOLING:
            return self.pool(body)
        prompt = body.get("prompt")
        limit = 32 if self.fault == "limit-lower" else self.limit
        if isinstance(prompt, list) and len(prompt) > limit and not self.over_limit(len(prompt)):
            return None
        if self.stop_on_fault():
            return None
        chat = self.path == "/v1/chat/completions"
        count = len(prompt) if isinstance(prompt, list) else 5
        if body.get("stream"):
            return self.send_events(self.events(body, chat, count))
        return self.send_json(self.answer(body, chat, count))

    def pool(self, body: dict[str, Any]) -> None:
        """The answer of a server of vectors, scores, classes or rewards."""
        given = body.get("input", body.get("text_2", body.get("documents")))
        texts = [given] if isinstance(given, str) or (given and isinstance(given[0], int)) else given
        tokens = len(given) if given and isinstance(given[0], int) else 5
        if tokens > self.limit and not self.over_limit(tokens):
            return None
        if self.stop_on_fault():
            return None
        vector = [
            float("nan") if self.fault == "pool-nan" else 0.5,
            -0.25,
            float(len(texts) * (self.fault == "pool-drift")),
        ]
        if self.fault == "pool-zeros":
            vector = [0.0, 0.0, 0.0]
        row: dict[str, dict[str, object]] = {
            "/v1/embeddings": {"embedding": vector},
            "/score": {"score": vector[0]},
            "/classify": {
                "label": "A",
                "probs": [1.5 if self.fault == "pool-beyond" else 0.75, 0.25],
                "num_classes": 2,
            },
            "/pooling": {"data": [vector, vector]},
        }
        if self.path == "/rerank":
            order = [0, 1] if self.fault == "rerank-unordered" else [1, 0]
            results = [
                {"index": i, "relevance_score": 0.1 + i} for i in order[: 1 if self.fault == "pool-short" else 2]
            ]
            return self.send_json({"results": results})
        count = len(texts) - (self.fault == "pool-short")
        usage: dict[str, object] = (
            {} if self.fault == "answer-no-usage" else {"usage": {"prompt_tokens": 5 * len(texts)}}
        )
        return self.send_json({"data": [{"index": i, **row[self.path]} for i in range(count)], **usage})

    def send_version(self) -> None:
        if self.fault == "version-404":
            return self.send_json({"detail": "Not Found"}, 404)
        return self.send_json({"version": "0.19.1" if self.fault == "version-other" else "0.26.0+cu130"})

    def send_models(self) -> None:
        name = "org/other" if self.fault == "models-other" else MODEL
        length = 32 if self.fault == "models-shorter" else self.limit
        if self.fault == "models-page":
            return self.send_page()
        return self.send_json({"object": "list", "data": [{"id": name, "object": "model", "max_model_len": length}]})

    def over_limit(self, count: int) -> bool:
        """Whether to answer all the same."""
        match self.fault:
            case "limit-accepted":
                return True
            case "limit-500":
                self.refuse("EngineCore encountered an issue", 500)
            case "limit-kills":
                self.die()
            case "limit-breaks":
                type(self).fault = "answer-500"
                self.refuse("too long", 400)
            case _:
                self.refuse(f"This model's maximum context length is {self.limit} tokens, not {count}", 400)
        return False

    def refuse(self, message: str, status: int) -> None:
        self.send_json(
            {"error": {"message": message, "type": "BadRequestError", "param": None, "code": status}}, status
        )

    def stop_on_fault(self) -> bool:
        match self.fault:
            case "answer-400" | "answer-401" | "answer-429" | "answer-500" | "answer-503":
                self.refuse("the engine says no", int(self.fault.removeprefix("answer-")))
            case "answer-502-page":
                self.send_page(502)
            case "answer-page":
                self.send_page()
            case "answer-broken-json":
                self.send(200, '{"choices": [', "application/json")
            case "answer-stalls":
                time.sleep(STALL_SECONDS)
            case _:
                return False
        return True

    def answer(self, body: dict[str, Any], chat: bool, count: int) -> dict[str, Any]:
        output = body["max_tokens"]
        text = "" if self.fault == "answer-empty-text" else "".join(TOKENS[:output])
        content = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        choice = {
            "index": 0,
            **content,
            "finish_reason": "stop" if self.fault == "answer-stops" else "length",
        }
        answer = self.frame(chat, chunk=False)
        answer["choices"] = [] if self.fault == "answer-no-choices" else [choice]
        if self.fault != "answer-no-usage":
            answer["usage"] = self.usage(count, output)
        return answer

    def events(self, body: dict[str, Any], chat: bool, count: int) -> Iterator[str]:
        output = body["max_tokens"]
        if chat:
            yield json.dumps({**self.frame(chat, chunk=True), "choices": [self.part(chat, "", None)]})
        for i, token in enumerate(TOKENS[:output]):
            if i == 4 and self.fault == "stream-error":
                yield json.dumps({"error": {"message": "EngineCore died", "type": "InternalServerError", "code": 500}})
                return
            reason = "length" if i == output - 1 else None
            text = "" if self.fault == "stream-no-text" else token
            yield json.dumps({**self.frame(chat, chunk=True), "choices": [self.part(chat, text, reason)]})
        if self.fault != "stream-no-usage":
            yield json.dumps({**self.frame(chat, chunk=True), "choices": [], "usage": self.usage(count, output)})
        yield "[DONE]"

    def part(self, chat: bool, text: str, reason: str | None) -> dict[str, Any]:
        content = {"delta": {"role": "assistant", "content": text}} if chat else {"text": text}
        return {"index": 0, **content, "finish_reason": reason}

    def frame(self, chat: bool, *, chunk: bool) -> dict[str, Any]:
        kind = ("chat.completion.chunk" if chunk else "chat.completion") if chat else "text_completion"
        model = "org/other" if self.fault == "answer-other-model" else MODEL
        return {"id": "cmpl-1", "object": kind, "created": 1, "model": model}

    def usage(self, prompt: int, output: int) -> dict[str, int]:
        counted = {
            "prompt_tokens": prompt + (self.fault == "count-prompt"),
            "completion_tokens": output - (self.fault == "count-output"),
        }
        return {**counted, "total_tokens": sum(counted.values()) + (self.fault == "count-total")}


def start(fault: str, metrics: str) -> int:
    """Serves in the background; returns the port."""
    return serve(Vllm, fault, metrics)
