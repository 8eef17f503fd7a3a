"""vLLM's interface for models that answer with vectors, scores, classes or rewards."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2

from l4serve.planning.models.purpose import Purpose
from l4serve.verification.checks import Check, CheckError, Finding, NotOfferedError, require
from l4serve.verification.http_probe import post, post_json
from l4serve.verification.target import Target

_QUERY = "What is the capital of France?"
_TEXTS = ["Paris is the capital of France.", "Bread is made of flour and water."]
_TOKEN = 10
_LONGEST_PROMPT = 32_768
_PATHS: Mapping[Purpose, str] = {
    "embed": "/v1/embeddings",
    "score": "/score",
    "classify": "/classify",
    "reward": "/pooling",
    "token": "/pooling",
}


class PoolingChecks:
    """The checks of one server by its purpose. `model` gives the name that requests are to ask for."""

    def __init__(self, target: Target, model: Callable[[], str]) -> None:
        self._target = target
        self._model = model
        self.path = _PATHS[target.purpose]
        """Path of the requests that the server is for."""

    def checks(self) -> tuple[Check, ...]:
        """The requests of the purpose, then a text beyond the limit where texts may be given as tokens."""
        of_purpose: Mapping[Purpose, tuple[Check, ...]] = {
            "embed": (Check("embeddings", self.embeddings), Check("same text, same vector", self.repeatable)),
            "score": (Check("score", self.score), Check("rerank", self.rerank)),
            "classify": (Check("classify", self.classify),),
            "reward": (Check("pooling", self.pooling),),
            "token": (Check("pooling", self.pooling),),
        }
        limit = (Check("context limit", self.context_limit),) if self.path in ("/v1/embeddings", "/pooling") else ()
        return (*of_purpose[self._target.purpose], *limit)

    def embeddings(self) -> Finding:
        """A vector for each text, all of one width and of finite numbers, and a count of tokens."""
        answer = self._ask("/v1/embeddings", input=_TEXTS)
        vectors = [_numbers(entry.get("embedding"), "an embedding") for entry in _entries(answer, "data", len(_TEXTS))]
        widths = {len(vector) for vector in vectors}
        require(len(widths) == 1, f"the vectors have {len(widths)} widths: {sorted(widths)}")
        require(any(vectors[0]), "the vector is all zeros")
        _require_counted(answer)
        return Finding(f"{len(vectors)} vectors of {widths.pop()}")

    def repeatable(self) -> Finding:
        """One text gives one vector, alone and beside others."""
        alone = self._vector(_TEXTS[:1])
        beside = self._vector(_TEXTS)
        near = _cosine(alone, beside)
        require(near > 0.99, f"the same text alone and in a batch gave vectors of cosine {near:.3f}")
        return Finding(f"cosine {near:.4f} alone and in a batch")

    def score(self) -> Finding:
        """A finite score for each pair."""
        answer = self._ask("/score", text_1=_QUERY, text_2=_TEXTS)
        scores = _numbers([entry.get("score") for entry in _entries(answer, "data", len(_TEXTS))], "the scores")
        return Finding(f"{len(scores)} pairs: {', '.join(f'{score:.3f}' for score in scores)}")

    def rerank(self) -> Finding:
        """Every document once, best first."""
        answer = self._ask("/rerank", query=_QUERY, documents=_TEXTS)
        results = _entries(answer, "results", len(_TEXTS))
        order = [entry.get("index") for entry in results]
        require(sorted(order, key=str) == [0, 1], f"the documents came back as {order}")
        scores = _numbers([entry.get("relevance_score") for entry in results], "the scores")
        require(
            list(scores) == sorted(scores, reverse=True), f"the documents are not in order of their scores {scores}"
        )
        return Finding(f"documents in the order {order}")

    def classify(self) -> Finding:
        """Probabilities of every class for each text."""
        answer = self._ask("/classify", input=_TEXTS)
        rows = [_numbers(entry.get("probs"), "the probabilities") for entry in _entries(answer, "data", len(_TEXTS))]
        classes = {len(row) for row in rows}
        require(len(classes) == 1, f"the texts got {sorted(classes)} classes")
        require(all(0 <= value <= 1 for row in rows for value in row), "a probability is not between 0 and 1")
        return Finding(f"{len(rows)} texts, {classes.pop()} classes")

    def pooling(self) -> Finding:
        """Finite numbers for a text."""
        answer = self._ask("/pooling", input=_TEXTS[0])
        values = _flat(_entries(answer, "data", 1)[0].get("data"))
        return Finding(f"{len(_numbers(values, 'the answer'))} numbers")

    def context_limit(self) -> Finding:
        """A text one token beyond the limit is refused with a 4xx, and the server goes on serving."""
        limit = self._target.max_model_len
        if limit is None or limit > _LONGEST_PROMPT:
            raise NotOfferedError("no limit is promised that a request could pass; give --max-model-len")
        over = {"model": self._model(), "input": [_TOKEN] * (limit + 1)}
        try:
            status = post(self._target, self.path, over).status_code
        except httpx2.TransportError as error:
            raise CheckError(f"{limit + 1} tokens broke the connection; the engine may have died") from error
        require(400 <= status < 500, f"{limit + 1} tokens ended in status {status}, no 4xx")
        self._ask(self.path, input=_TEXTS[0])
        return Finding(f"{limit + 1} tokens refused with {status}; the limit is {limit}")

    def _vector(self, texts: Sequence[str]) -> list[float]:
        answer = self._ask("/v1/embeddings", input=list(texts))
        return _numbers(_entries(answer, "data", len(texts))[0].get("embedding"), "an embedding")

    def _ask(self, path: str, **body: Any) -> Mapping[str, Any]:
        return post_json(self._target, path, {"model": self._model(), **body})


def _entries(answer: Mapping[str, Any], key: str, count: int) -> list[Mapping[str, Any]]:
    entries = answer.get(key)
    require(isinstance(entries, list) and len(entries) == count, f"the answer has no {count} {key}")
    found: list[Mapping[str, Any]] = [entry for entry in entries or () if isinstance(entry, Mapping)]
    require(len(found) == count, f"{key} holds something else than objects")
    return found


def _numbers(values: Any, what: str) -> list[float]:
    found = values if isinstance(values, list) and values else []
    fine = bool(found) and all(type(value) in (int, float) and math.isfinite(value) for value in found)
    require(fine, f"{what} is not a list of finite numbers")
    return [float(value) for value in found]


def _flat(values: Any) -> list[Any]:
    if not isinstance(values, list):
        return [values]
    return [inner for value in values for inner in _flat(value)]


def _require_counted(answer: Mapping[str, Any]) -> None:
    usage = answer.get("usage")
    counted = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
    require(isinstance(counted, int) and counted > 0, f"{counted} prompt tokens were counted")


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    require(len(one) == len(other), f"one text has vectors of {len(one)} and {len(other)}")
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0
