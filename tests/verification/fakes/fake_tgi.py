"""A process that speaks TGI's HTTP interface, and breaks it in the one way it is told to."""

import json
import time
from collections.abc import Iterator
from typing import Any

from fake_http import STALL_SECONDS, TOKENS, Engine, serve

MODEL = "org/model"


class Tgi(Engine):
    def do_GET(self) -> None:  # noqa: N802 (the name that http.server calls)
        match self.path:
            case "/health":
                self.send_health()
            case "/info":
                self.send_info()
            case "/metrics":
                self.send_metrics()
            case _:
                self.send_page(404)

    def do_POST(self) -> None:  # noqa: N802
        body = self.body()
        parameters = body["parameters"]
        words, output = len(body["inputs"].split()), parameters["max_new_tokens"]
        if words + output > self.limit and not self.over_limit(words):
            return None
        if self.stop_on_fault():
            return None
        if body.get("stream"):
            return self.send_events(self.events(output))
        answer = self.answer(output)
        # The root path, which the client uses, wraps the answer in a list.
        return self.send_json([answer] if self.path == "/" else answer)

    def send_info(self) -> None:
        if self.fault == "info-page":
            return self.send_page()
        return self.send_json(
            {
                "model_id": "org/other" if self.fault == "model-other" else MODEL,
                "max_input_tokens": self.limit - 1,
                "max_total_tokens": 32 if self.fault == "model-shorter" else self.limit,
                "version": "2.4.0" if self.fault == "version-other" else "3.3.7",
            }
        )

    def over_limit(self, words: int) -> bool:
        """Whether to answer all the same."""
        match self.fault:
            case "limit-accepted":
                return True
            case "limit-output-accepted" if words <= self.limit:
                return True
            case "limit-500":
                self.refuse("Incomplete generation", "incomplete_generation", 500)
            case "limit-kills":
                self.die()
            case "limit-breaks":
                # Before the answer, as whoever has it asks again at once.
                if words <= self.limit:
                    type(self).fault = "answer-424"
                self.refuse("Input validation error", "validation", 422)
            case _:
                self.refuse(f"Input validation error: at most {self.limit} tokens", "validation", 422)
        return False

    def refuse(self, message: str, kind: str, status: int) -> None:
        self.send_json({"error": message, "error_type": kind}, status)

    def stop_on_fault(self) -> bool:
        match self.fault:
            case "answer-424":
                self.refuse("Request failed during generation: CUDA out of memory", "generation", 424)
            case "answer-429":
                self.refuse("Model is overloaded", "overloaded", 429)
            case "answer-500":
                self.refuse("Incomplete generation", "incomplete_generation", 500)
            case "answer-500-unknown":
                self.send_json({"detail": "something else"}, 500)
            case "answer-502-page":
                self.send_page(502)
            case "answer-page":
                self.send_page()
            case "answer-stalls":
                time.sleep(STALL_SECONDS)
            case _:
                return False
        return True

    def answer(self, output: int) -> dict[str, Any]:
        text = "" if self.fault == "answer-empty-text" else "".join(TOKENS[:output])
        answer: dict[str, Any] = {"generated_text": text}
        if self.fault != "answer-no-details":
            tokens = [self.token(i) for i in range(min(output, len(TOKENS)))]
            answer["details"] = {**self.details(output), "prefill": [], "tokens": tokens}
        return answer

    def events(self, output: int) -> Iterator[str]:
        for i in range(output):
            if i == 4 and self.fault == "stream-error":
                yield json.dumps({"error": "Request failed during generation", "error_type": "generation"})
                return
            last = i == output - 1 and self.fault != "stream-no-details"
            end = {"generated_text": "".join(TOKENS[:output]), "details": self.details(output)} if last else {}
            yield json.dumps({"index": i + 1, "token": self.token(i), "generated_text": None, "details": None, **end})

    def token(self, i: int) -> dict[str, Any]:
        return {"id": i + 10, "text": TOKENS[i], "logprob": -0.5, "special": False}

    def details(self, output: int) -> dict[str, Any]:
        counted = output - (self.fault == "count-output")
        return {"finish_reason": "length", "generated_tokens": counted, "seed": None, "input_length": 5}


def start(fault: str, metrics: str) -> int:
    """Serves in the background; returns the port."""
    return serve(Tgi, fault, metrics)
