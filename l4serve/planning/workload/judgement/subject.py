"""What a judgement looks at: a workload under one release on one kind of card."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.config.keys.base import changed_field
from l4serve.config.keys.workload import Workload
from l4serve.engines.case import Case, case_of
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.contract import BatchLimits
from l4serve.engines.releases.profile import engine_profile
from l4serve.engines.releases.resolution import ResolvedContract
from l4serve.engines.rule_inputs import backend_of
from l4serve.engines.setting_env import setting_env
from l4serve.engines.traits import GpuTraits
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.engine_memory import engine_memory
from l4serve.planning.memory.extra_flags import with_flags
from l4serve.planning.memory.host import largest_tensor_bytes
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import kept_cache_dtype
from l4serve.planning.memory.remedies import GPU_COUNTS
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.models.purpose import Purpose
from l4serve.planning.values.edited import edited
from l4serve.planning.workload.judgement.model_traits import draft_vocab_size, model_traits
from l4serve.planning.workload.judgement.remedied_args import remaining_args
from l4serve.planning.workload.judgement.served_purpose import served_purpose


@frozen(kw_only=True)
class Subject:
    """A workload under one release on one kind of card: all that a judgement looks at."""

    workload: Workload
    shape: ModelShape | None
    """Shape of the model; None where nobody described it."""
    resolved: ResolvedContract
    layout: GpuLayout
    card: Gpu
    gpu_counts: tuple[int, ...] = GPU_COUNTS
    """GPUs per pod that a remedy may ask for."""
    host_gib: float | None = None
    """Host memory that the pod may take, in GiB; None where nobody knows."""
    weights_gib: float | None = None
    """Weights of one rank in GiB, in place of the computed ones."""
    cured: bool = True
    """Whether anybody reads what would make a model fit that does not; to find it takes longer than all else."""

    @cached_property
    def case(self) -> Case:
        """The workload as the engine meets it."""
        shape = self.shape
        return case_of(
            self.workload,
            contract=self.resolved.contract,
            model=model_traits(shape, self.workload.model.id),
            gpu=GpuTraits(self.card.name, self.card.compute_capability, self.card.total_gib),
            layout=self.layout,
            draft_vocab_size=draft_vocab_size(speculation(self.workload)),
            kept_cache_dtype=kept_cache_dtype(shape, self._typed) if shape else None,
            largest_tensor_bytes=largest_tensor_bytes(shape) if shape else 0,
        )

    @cached_property
    def options(self) -> ServingOptions:
        """The settings that memory depends on, with the backend and the batch limits that the release takes."""
        env = {**setting_env(self.case), **self.workload.extra_env}
        options = with_flags(self._typed, self.workload.extra_args, env, self.resolved.contract)
        limits = self._limits_on(self.card)
        return edited(
            options,
            attention_backend=backend_of(self.case).name,
            default_max_num_seqs=limits.max_num_seqs if limits else None,
            default_max_num_batched_tokens=limits.max_num_batched_tokens if limits else None,
            weights_gib=self.weights_gib,
            pooling=self.purpose != "generate",
        )

    @cached_property
    def _typed(self) -> ServingOptions:
        """What the engine's fields alone say of memory."""
        engine = self.workload.engine
        return engine_memory(engine.kind).options(engine, self.layout)

    @cached_property
    def purpose(self) -> Purpose:
        """What the server answers with: what the config asks for, else what model and class were made for."""
        return served_purpose(self.workload, self.shape, self.resolved.contract)

    @property
    def at_lowest(self) -> "Subject":
        """The subject on a card with the least total that was seen of it."""
        least = replace(self, card=self.card.at_lowest)
        if self._limits_on(least.card) == self._limits_on(self.card):
            vars(least).update(case=self.case, options=self.options)
        return least

    def _limits_on(self, card: Gpu) -> BatchLimits | None:
        return self.resolved.contract.batch_limits_for(card.total_gib, card.name)

    def edited(self, edit: Mapping[str, object], shape: ModelShape | None) -> "Subject":
        """The subject with a remedy's edit made; `shape` is that of the model it leads to."""
        workload, engine = self.workload, self.workload.engine
        values = {key.removeprefix("engine."): value for key, value in edit.items() if key.startswith("engine.")}
        changed: dict[str, object] = {
            "engine": engine.model_copy(
                update=dict(changed_field(engine, key, value) for key, value in values.items())
            ),
            "extra_args": remaining_args(workload.extra_args, edit, self.resolved.contract),
        }
        changed |= {key: value for key, value in edit.items() if key == "gpus"}
        if "model.id" in edit:
            changed["model"] = workload.model.model_copy(update={"id": edit["model.id"], "config": None})
        tensor = edit.get(engine_profile(engine.kind).path("shards"), self.layout.tensor_parallel_size)
        pipeline = self.layout.pipeline_parallel_size
        layout = GpuLayout(int(str(tensor)) * pipeline, int(str(tensor)), pipeline)
        return replace(self, workload=workload.model_copy(update=changed), shape=shape, layout=layout)


def speculation(workload: Workload) -> Mapping[str, Any] | None:
    """The engine's object of speculative decoding; None where it has none."""
    asked: Mapping[str, Any] | None = engine_profile(workload.engine.kind).setting(workload.engine, "speculation")
    return asked
