"""How long one step of an engine takes: host and launches, then the larger of bytes and operations, part by part."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from math import ceil, log2
from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.planning.performance.card_speeds import BlockKernel, CardSpeed, sped_up
from l4serve.planning.performance.kernel_rates import KernelRates
from l4serve.planning.performance.model_work import ModelWork, wider_formats

LOGIT_BYTES = 4
ALL_REDUCES_PER_LAYER = 2
KERNELS, EXPERT_KERNELS, LATENT_KERNELS = 14, 5, 14
"""Kernels of a dense layer, and how many more experts and latent attention have: 14 of Qwen2.5, 18 of Granite 3.1, 19
of OLMoE, 33 of DeepSeek V2 Lite, which has both (benchmarks/performance/kernel_times.json)."""
CAPTURED = 512
"""Tokens of the largest step that vLLM puts into graphs by itself."""

FLASH_ATTN_3 = "FLASH_ATTN 3"
"""What vLLM takes for FLASH_ATTN at compute capability 9.0."""

Graphs = Literal["full", "piecewise", "none"]


@frozen()
class Batch:
    """What one step works on.

    `decoding` sequences with `cached` tokens in all (`windowed` where a sliding window bounds each of them), and
    `prefilling` tokens of prompts, with `attended` pairs of a query and a cached token, and `finished` prompts that get
    their first token.
    """

    decoding: int = 0
    cached: float = 0.0
    windowed: float = 0.0
    prefilling: int = 0
    attended: float = 0.0
    attended_windowed: float = 0.0
    finished: int = 0


@frozen()
class StepClock:
    """The time of a step on one card or on several that share each layer."""

    work: ModelWork
    card: CardSpeed
    rates: KernelRates
    backend: str | None
    graphs: Graphs = "full"
    ranks: int = 1
    block: BlockKernel | None = None
    """What multiplies FP8 weights with a scale for each block of them; None for other weights."""
    shared: int = 0
    """Tokens at the beginning of every sequence that the cache holds once."""

    def sped_up(self, *, read: float = 1.0, compute: float = 1.0, link: float = 1.0, host: float = 1.0) -> StepClock:
        """The clock of a card and a host that are so many times as fast."""
        rates, card = self.rates, sped_up(self.card, read=read, compute=compute, link=link, host=host)
        by_host = ("host", "layer", "request", "least_step", "sequence", "adapter_layer")
        quick = replace(rates, **{name: getattr(rates, name) / host for name in by_host})
        return replace(self, rates=quick, card=card)

    def slowed(self, times: float) -> StepClock:
        """The clock whose steps all take so many times as long."""
        return self.sped_up(read=1 / times, compute=1 / times, link=1 / times, host=1 / times)

    def seconds(self, batch: Batch) -> float:
        """The step's time."""
        bare = self.bare(batch.decoding + batch.prefilling, batch.decoding + batch.finished)
        worked = bare + self.prompt(batch.attended, batch.attended_windowed) + self._cache(batch)
        return max(self.least(batch.decoding + batch.finished), worked)

    def bare(self, tokens: int, rows: int) -> float:
        """Seconds of a step of so many tokens, of which so many rows make logits, without its attention."""
        found = self._steps.get((tokens, rows))
        if found is None:
            found = self._with_host(self._worked(tokens, rows), tokens, prompts=tokens > rows)
            self._steps[tokens, rows] = found
        return found

    def _worked(self, tokens: int, rows: int) -> float:
        """Seconds that the card works on such a step, without its attention."""
        worked = self.host + self._linear(tokens) + self._adapters(tokens) + self._head(rows)
        return worked + self._exchange(tokens)

    def prompt(self, attended: float, windowed: float) -> float:
        """Seconds of attention over prompts: pairs of a query and a cached token, in full and in windowed layers."""
        return (self.work.attended * attended + self.work.attended_windowed * windowed) / self._prompt_rate

    def decode(self, sequences: int) -> tuple[float, float, float]:
        """A pure decode step of so many sequences: seconds beside the cache, and for each token that it holds in full
        and in windowed layers."""
        found = self._decodes.get(sequences)
        if found is None:
            bare = self.bare(sequences, sequences)
            speed = self.card.read_bytes * self._attention_share(sequences)
            each = self.work.kv_bytes / speed
            found = self._decodes[sequences] = bare - self.near(sequences, each), each, self.work.kv_windowed / speed
        return found

    def near(self, sequences: int, each: float) -> float:
        """Seconds spared as all sequences but one read what they share in the second-level cache; not if windowed."""
        return max(0, sequences - 1) * self.shared * each * (1 - 1 / self.rates.near_read)

    def decoding(self, sequences: int, context: float) -> float:
        """Seconds of a step that decodes so many sequences of this context, and nothing else."""
        fixed, each, windowed = self.decode(sequences)
        return max(self.least(sequences), fixed + sequences * (each * context + windowed * self._near(context)))

    def _near(self, context: float) -> float:
        return context if self.work.window is None else min(context, self.work.window)

    def worked(self, sequences: int, context: float) -> float:
        """Seconds that the card works on such a step, however long the host takes to launch it."""
        _, each, windowed = self.decode(sequences)
        cache = sequences * (each * context + windowed * self._near(context)) - self.near(sequences, each)
        return self._worked(sequences, sequences) + cache

    def steady(self, sequences: int, context: float, prompt: float, answer: float) -> float:
        """Seconds of a step in the mean, where each of so many sequences brings a prompt with every answer: some steps
        decode alone, in the others a prompt is computed beside. What the host launches meanwhile is left out."""
        begun = sequences / max(1.0, answer)
        share = min(1.0, begun)
        tokens, first = round(begun * prompt / share), round(begun / share)
        beside = self._worked(sequences + tokens, sequences + first) - self._worked(sequences, sequences)
        pairs = tokens * prompt / 2
        return self.worked(sequences, context) + share * (beside + self.prompt(pairs, pairs))

    def gains_by_its_bits(self, sequences: int, context: float, prompt: float, answer: float) -> bool:
        """Whether no format of the weights with more bits would be as fast: what it saves in reading, it may lose in
        multiplying."""
        found = self.steady(sequences, context, prompt, answer)
        return all(found < wider.steady(sequences, context, prompt, answer) for wider in self._wider)

    @cached_property
    def _wider(self) -> tuple[StepClock, ...]:
        return tuple(replace(self, work=work, block=None) for work in wider_formats(self.work))

    def _with_host(self, card: float, tokens: int, *, prompts: bool) -> float:
        """A step whose kernels take the card so long: those of prompts are launched ahead of it, those of tokens
        without full graphs wait in part for the tokens before, and a full graph is one launch."""
        if prompts:
            return max(card, self.launched(tokens))
        return card if self.graphs == "full" else self._both(card, self.launched(tokens))

    def launched(self, tokens: int) -> float:
        """Seconds of the host for the kernels of a step of so many tokens that no full graph holds."""
        work, launches = self.work, self.card.launches
        eager, each = self.graphs == "none", launches.layer
        if eager or tokens > CAPTURED:
            each += launches.eager if eager else launches.compiled
            each += launches.experts if work.expert_bytes else 0.0
            each += launches.latent if work.latent else 0.0
            each += launches.adapters if work.adapters else 0.0
        return work.layers * each

    def least(self, sequences: int) -> float:
        """Seconds of the host for a step that gives so many sequences a token, however little the card has to do."""
        handed_out, least = sequences * self.rates.sequence, self.rates.least_step
        return handed_out if handed_out > least else least

    @cached_property
    def host(self) -> float:
        """Seconds of a step that no byte and no operation explains."""
        work = self.work
        kernels = KERNELS + EXPERT_KERNELS * bool(work.experts) + LATENT_KERNELS * work.latent
        return self.rates.host + self.rates.layer * work.layers * kernels / KERNELS

    def _adapters(self, tokens: int) -> float:
        work, card, rates = self.work, self.card, self.rates
        if not work.adapters:
            return 0.0
        read = min(work.adapters, tokens) * work.adapter_bytes
        speed = min(card.read_bytes, rates.adapter_read * card.unpacked_weights)
        return work.layers * rates.adapter_layer + read / speed

    @cached_property
    def _steps(self) -> dict[tuple[int, int], float]:
        """Steps without their attention that were worked out, by their tokens and rows of logits."""
        return {}

    @cached_property
    def _decodes(self) -> dict[int, tuple[float, float, float]]:
        """Pure decode steps that were worked out, by their sequences."""
        return {}

    @cached_property
    def _prompt_rate(self) -> float:
        """Operations of attention over prompts in a second."""
        return self.rates.compute_attention * self.card.rate("bfloat16")

    @cached_property
    def _times(self) -> dict[tuple[str, int], float]:
        """Times that were worked out, by part and tokens: a load asks for few of them, and often."""
        return {}

    def _linear(self, tokens: int) -> float:
        found = self._times.get(("linear", tokens))
        if found is None:
            found = self._times["linear", tokens] = self._linear_time(tokens) if tokens else 0.0
        return found

    def _linear_time(self, tokens: int) -> float:
        moved = tokens * self.work.touched_bytes / (self.card.read_bytes * self.rates.activations)
        read, compute = self.weights(tokens)
        spent = max(self._both(read, compute), self.unpacked_and_multiplied(tokens, compute)) + moved
        if self.block:
            spent += self.work.layers * (self.block.layer if tokens > 1 else self.block.alone)
        return spent

    def weights(self, tokens: int) -> tuple[float, float]:
        """Seconds of reading the linear layers' weights, and of multiplying them with so many tokens."""
        work, card, rates = self.work, self.card, self.rates
        share, dense = self._formats
        awake = work.expert_share(tokens)
        read = work.plain_bytes / (card.read_bytes * rates.read_plain)
        read += (work.stored_bytes + awake * work.expert_bytes) / (card.read_bytes * share)
        rows = ceil(tokens / self.block.rows) * self.block.rows if self.block else tokens
        return read, rows * work.operations / dense

    def unpacked_and_multiplied(self, tokens: int, compute: float) -> float:
        """Seconds in which the card's SMs make 4-bit weights 16-bit and multiply them, which are both their work; a
        share of the 16-bit rate has that in it."""
        work, rates = self.work, self.rates
        if work.multiplied != "fourBit":
            return 0.0
        unpacking = (work.weights + work.expert_share(tokens) * work.expert_weights) / self.card.unpacked_weights
        return self._both(unpacking, compute, rates.unpack_overlap if "unpacked" in self.card.operations else None)

    @cached_property
    def _formats(self) -> tuple[float, float]:
        """The share of the bandwidth that stored weights get, and the operations a second on them."""
        rates, card = self.rates, self.card
        kind = self.work.multiplied
        if kind == "plain":
            return rates.read_plain, rates.compute_plain * card.rate("bfloat16")
        if kind in ("fourBit", "eightBit"):
            return rates.read_four_bit, self._unpacked
        multiplied = "int8" if kind == "int8" else "fp8"
        if multiplied not in card.operations:  # such weights are multiplied in 16 bits
            return rates.read_four_bit, self._unpacked
        if self.block and self.block.unpacks:
            return rates.read_four_bit, self.block.share * self._unpacked
        dense = (rates.compute_int8 if kind == "int8" else rates.compute_fp8) * card.rate(multiplied)
        return rates.read_eight_bit, self.block.share * dense if self.block else dense

    @property
    def _unpacked(self) -> float:
        """Operations a second on weights that are made 16-bit first: the card's own, or a share of its 16 bits."""
        rate = self.card.operations.get("unpacked")
        return self.rates.compute_four_bit * self.card.rate("bfloat16") if rate is None else rate

    def _head(self, rows: int) -> float:
        found = self._times.get(("head", rows))
        if found is None:
            found = self._times["head", rows] = self._head_time(rows) if rows else 0.0
        return found

    def _head_time(self, rows: int) -> float:
        work, card, rates = self.work, self.card, self.rates
        read = work.head_bytes / (card.read_bytes * rates.read_plain)
        compute = rows * work.head_operations / (rates.compute_plain * card.rate("bfloat16"))
        sampling = rows * work.vocabulary * LOGIT_BYTES * rates.sample_passes / card.read_bytes
        return self._both(read, compute) + sampling

    def _both(self, read: float, compute: float, overlap: float | None = None) -> float:
        power = overlap or self.rates.overlap
        return float((read**power + compute**power) ** (1 / power))

    def _cache(self, batch: Batch) -> float:
        if not batch.decoding:
            return 0.0
        _, each, windowed = self.decode(batch.decoding)
        return each * batch.cached - self.near(batch.decoding, each) + windowed * batch.windowed

    def _attention_share(self, sequences: int) -> float:
        rates = self.rates
        if self.backend == "FLASHINFER":
            return rates.flashinfer_fp8 if self.work.kv_eight_bit else rates.flashinfer
        if self.backend == FLASH_ATTN_3:
            return rates.flash3_fp8 if self.work.kv_eight_bit else rates.flash3
        if self.backend == "FLASH_ATTN":
            return rates.flash * max(0.2, 1 - rates.flash_loss * log2(max(1, sequences)))
        return rates.other

    def _exchange(self, tokens: int) -> float:
        """The all-reduces of a step between the ranks of a layer, as a ring sends them."""
        if self.ranks == 1 or not tokens:
            return 0.0
        card = self.card
        sent = 2 * (self.ranks - 1) / self.ranks * tokens * self.work.hidden_bytes
        each = card.link_latency * (1 if card.link_one_shot else log2(self.ranks)) + sent / card.link_bytes
        return ALL_REDUCES_PER_LAYER * self.work.layers * each
