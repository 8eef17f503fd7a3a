"""Loads of a measured server: who is counted, and that each request is its own."""

import asyncio
from collections.abc import AsyncIterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from benchmarks.gpu.server_loads import served

STEP_S = 0.002


@pytest.fixture(autouse=True)
def named_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the loads import of the engine."""
    engine, sampling = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    engine.SamplingParams = lambda **asked: SimpleNamespace(**asked)  # type: ignore[attr-defined]
    sampling.RequestOutputKind = SimpleNamespace(DELTA="delta")  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "vllm", engine)
    monkeypatch.setitem(__import__("sys").modules, "vllm.sampling_params", sampling)


class Engine:
    """Answers every request token by token; the first of them all takes long, as a cold kernel does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[int, ...], Any]] = []
        self.running = self.most = 0

    async def generate(self, prompt: Any, sampling: Any, name: str, lora_request: Any) -> AsyncIterator[int]:
        self.asked.append((name, tuple(prompt["prompt_token_ids"]), lora_request))
        self.running += 1
        self.most = max(self.most, self.running)
        if len(self.asked) == 1:
            await asyncio.sleep(0.5)
        for token in range(sampling.max_tokens):
            await asyncio.sleep(STEP_S)
            yield token
        self.running -= 1


def asked(load: dict[str, Any], adapters: tuple[str, ...] = ()) -> tuple[Engine, dict[str, Any]]:
    engine = Engine()
    return engine, asyncio.run(served(engine, {"inp": 20, "out": 6, "seed": 3, **load}, adapters))


def test_clients_wait_for_their_answers_and_the_first_wave_is_left_out() -> None:
    engine, found = asked({"clients": 3, "waves": 2})
    assert len(engine.asked) == 9
    assert engine.most == 3
    assert len({prompt for _, prompt, _ in engine.asked}) == len({name for name, _, _ in engine.asked}) == 9
    assert found["ttft_s"] < 0.2
    assert found["itl_s"] >= STEP_S
    assert found["out_tok_s"] == pytest.approx(3 * 6 / found["e2e_s"], rel=0.01)


def test_requests_at_once_count_from_the_first_to_the_last_token() -> None:
    engine, found = asked({"n": 5})
    assert engine.most == 5
    assert found["s"] > 0.5
    assert found["out_tok_s"] == pytest.approx(30 / found["s"], rel=0.01)


def test_requests_at_a_rate_do_not_wait_for_each_other() -> None:
    engine, found = asked({"rate": 200.0, "n": 12})
    assert len(engine.asked) == 12
    assert engine.most > 1
    assert "out_tok_s" not in found


def test_adapters_are_dealt_out() -> None:
    engine, _ = asked({"n": 4, "adapters": 2}, ("one", "two", "three"))
    assert sorted(adapter for _, _, adapter in engine.asked) == ["one", "one", "two", "two"]
    assert {adapter for _, _, adapter in asked({"n": 2})[0].asked} == {None}
