"""One served model: engine, model, GPUs, resources and service."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from l4serve.config.keys.alerts import Objectives
from l4serve.config.keys.api_key import ApiKey
from l4serve.config.keys.autoscaling import Autoscaling
from l4serve.config.keys.base import (
    ConfigModel,
    Count,
    EnvName,
    LabelKey,
    LabelValue,
    PoolName,
    PositiveInt,
    Quantity,
    ServiceName,
    WorkloadName,
)
from l4serve.config.keys.container_env import EnvSource
from l4serve.config.keys.expected_load import ExpectedLoad
from l4serve.config.keys.exposure import Route
from l4serve.config.keys.model_source import CompileCache, ModelSource
from l4serve.config.keys.pod_security import PodSecurity
from l4serve.config.keys.pod_tls import PodTls
from l4serve.config.keys.service_account import ServiceAccount
from l4serve.config.keys.tgi import TgiEngine
from l4serve.config.keys.vllm import VllmEngine
from l4serve.config.words.model_ids import file_type, hub_id
from l4serve.config.words.written_forms import GIT_REF

ENGINE_MODELS: tuple[type[VllmEngine] | type[TgiEngine], ...] = (VllmEngine, TgiEngine)
Engine = Annotated[VllmEngine | TgiEngine, Field(discriminator="kind")]

GitRef = Annotated[
    str,
    Field(
        pattern=GIT_REF,
        max_length=250,
        examples=["main"],
        json_schema_extra={"type": ["string", "number"]},
    ),
]


class Model(ConfigModel):
    """The model that a workload serves, and where its weights come from."""

    id: Annotated[str, AfterValidator(hub_id)]
    """Hub id of the model, such as google/gemma-7b, by which its shape and its weights are found.

    A type after a colon names one GGUF file of a repository (vLLM 0.12 to 0.23): unsloth/Qwen3-0.6B-GGUF:Q4_K_M.
    """
    revision: GitRef | None = None
    """Branch, tag or commit on the Hub; unset is the main branch."""
    config: str | None = Field(None, min_length=1, max_length=1000)
    """Path to the model's config.json, relative to the project, for a model outside the catalogue."""
    gated: bool | None = None
    """Whether the Hub wants a token for it; unset follows the catalogue."""
    source: ModelSource | None = None
    """Where the weights come from; unset is the Hub, from which each pod downloads them anew."""

    @model_validator(mode="after")
    def _file_of_the_hub(self) -> Self:
        if self.source is not None and file_type(self.id) is not None:
            raise ValueError(
                "id names one file of a repository, which the weights do not come from; leave the type out"
            )
        return self

    @model_validator(mode="after")
    def _revision_of_the_hub(self) -> Self:
        if self.revision is not None and self.source is not None and self.source.kind != "hyperdisk":
            raise ValueError("revision names a commit of the Hub, which the weights do not come from; remove it")
        return self


def _not_some_bytes(value: str) -> str:
    if re.fullmatch(r"[0-9]*\.[0-9]+", value) and float(value) % 1:
        raise ValueError(f"{value!r} means a fraction of a byte; write it as {value}Gi")
    if (number := value.removesuffix("m")).isdigit() and 0 < int(number) < _FEWEST_BYTES:
        what, meant = ("thousandths of a byte", "Mi") if "m" in value else ("bytes", "Gi")
        raise ValueError(f"{value!r} means {what}; write it as {number}{meant}")
    return value


def _not_millions_of_cores(value: str) -> str:
    number = value.rstrip("kKMGTPi")
    if number == value or not number.isdigit():
        return value
    small = f"{number}m" if "M" in value else number
    raise ValueError(f"{value!r} means thousands of cores or more; write it as {small}")


_FEWEST_BYTES = 2**20
"""Below this nobody means bytes."""


class ResourceList(ConfigModel):
    """Quantities of a container; unset ones are planned from the model and the machine."""

    cpu: Annotated[Quantity, AfterValidator(_not_millions_of_cores)] | None = None
    """CPU cores of the container, such as 2 or 500m."""
    memory: Annotated[Quantity, AfterValidator(_not_some_bytes)] | None = None
    """Memory of the container, such as 25Gi; /dev/shm counts towards it."""
    ephemeral_storage: Quantity | None = None
    """Node disk for the container's writable layer and downloads, such as 30Gi."""


class Resources(ConfigModel):
    """What the engine's container reserves, and what it may use at most."""

    requests: ResourceList = ResourceList.model_construct()
    """What the scheduler reserves for the container on its node."""
    limits: ResourceList = ResourceList.model_construct()
    """What the container may use; unset follows the requests for memory and ephemeral storage."""


class Service(ConfigModel):
    """The Kubernetes Service in front of the workload."""

    name: ServiceName | None = None
    """Name of the Service; unset is the workload's name."""
    type: Literal["ClusterIP", "LoadBalancer", "NodePort"] = "ClusterIP"
    """How the Service is reached: in the cluster, by an internal load balancer, or by a port of each node."""
    port: Annotated[PositiveInt, Field(le=65535)] = 8000
    """Port of the Service and of the engine."""
    tls: PodTls | None = None
    """Certificate that the engine itself shows (vLLM); unset speaks plain HTTP inside the cluster."""


class AllowedRule(ConfigModel):
    """One engine rule that the workload overrides."""

    rule: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$", examples=["vllm-fp8-kv"])]
    """The rule's id, as the error names it."""
    reason: str = Field("allowed in the stack's config", min_length=1)
    """Why the rule does not hold here; the Deployment's annotations keep it."""


def _as_rule(value: Any) -> Any:
    return {"rule": value} if isinstance(value, str) else value


class Workload(ConfigModel):
    """A model served by one engine on some replicas."""

    recipe: Annotated[str, Field(max_length=100)] | None = None
    """Preset that the other fields override; see `stacks/recipes`."""
    engine: Engine
    """Engine that serves the model, with its release and its flags."""
    model: Model
    """Model that the workload serves, and where its weights come from."""
    objectives: Objectives | None = None
    """What its requests are promised, where `monitoring.alerts` are on; what is unset is as the stack promises."""
    load: ExpectedLoad = ExpectedLoad.model_construct()
    """Requests to expect, for estimates of speed and of what a token costs."""
    replicas: Count = 1
    """Pods that serve the model, each with its own GPUs; 0 keeps the config and runs nothing."""
    autoscaling: Autoscaling | None = None
    """Bounds between which the number of pods follows the load, in place of `replicas`."""
    min_on_demand: Count = 0
    """Pods, of `replicas` or `minReplicas`, that never run on spot nodes; needs a compute class with others too."""
    gpus: Annotated[PositiveInt, Field(le=8)] | None = None
    """GPUs per pod; unset follows the parallel sizes."""
    node_pool: PoolName | None = None
    """Node pool to run on; unset is the smallest pool of the stack with enough GPUs."""
    compute_class: PoolName | None = None
    """Compute class that gets the nodes, in place of one pool."""
    resources: Resources = Resources.model_construct()
    """CPU, memory and ephemeral storage; GPUs come from `gpus`."""
    shm: Quantity | None = None
    """Size limit of /dev/shm; unset is the memory limit."""
    service: Service = Service.model_construct()
    """Service by which clients in the cluster reach the pods."""
    labels: Mapping[LabelKey, LabelValue] = {}
    """Labels that the pods carry beside the program's own."""
    extra_args: tuple[str, ...] = Field((), max_length=200)
    """Engine arguments without a typed field, such as --uvicorn-log-level=warning."""
    extra_env: Mapping[EnvName, str] = Field({}, max_length=200)
    """Environment variables of the engine that no typed field sets."""
    env: Mapping[EnvName, EnvSource] = Field({}, max_length=200)
    """Environment variables from a Secret or a ConfigMap; those with a value in the open go into `extraEnv`."""
    api_key: ApiKey | None = None
    """Key that clients must send as a bearer token; a note says what the engine serves without it."""
    compile_cache: CompileCache | None = None
    """Volume for compiled code, where the release can put it there (vLLM); unset compiles at each start of a pod."""
    expose: Route | None = None
    """Where the stack's gateway serves the workload; unset is a place of its own on it."""
    service_account: ServiceAccount = ServiceAccount.model_construct()
    """Identity of the pods, and its roles in Google Cloud."""
    pod_security: PodSecurity = PodSecurity.model_construct()
    """Pod Security of the pods; unset is "restricted" wherever the image is known to run so."""
    renamed_from: WorkloadName | None = None
    """Name of its first deployment: Kubernetes names and the path on the gateway stay that, so no pod restarts."""
    fit: Literal["refuse", "warn"] = "refuse"
    """What a model that does not fit its GPUs does: stop the preview, or warn."""
    allow: tuple[Annotated[AllowedRule, BeforeValidator(_as_rule, json_schema_input_type=AllowedRule | str)], ...] = ()
    """Engine rules to override by name, each with a reason."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.node_pool and self.compute_class:
            raise ValueError("nodePool and computeClass are two answers to where the pods run; remove one of them")
        return self

    @model_validator(mode="after")
    def _one_count(self) -> Self:
        if self.autoscaling and "replicas" in self.model_fields_set:
            raise ValueError("replicas and autoscaling are two answers to how many pods run; remove one of them")
        return self

    @model_validator(mode="after")
    def _on_demand_within_the_count(self) -> Self:
        fewest = self.fewest_replicas
        if self.autoscaling and self.min_on_demand and self.min_on_demand >= fewest:
            message = f"minOnDemand {self.min_on_demand} leaves the autoscaler no pod: it scales the others"
            raise ValueError(f"{message}; set autoscaling.minReplicas: {self.min_on_demand + 1}")
        if self.min_on_demand > fewest:
            raise ValueError(f"minOnDemand {self.min_on_demand} is above replicas {fewest}; set minOnDemand: {fewest}")
        return self

    @property
    def fewest_replicas(self) -> int:
        """The fewest pods that there may be."""
        return self.autoscaling.min_replicas if self.autoscaling else self.replicas

    @property
    def most_replicas(self) -> int:
        """The most pods that there may be."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas
