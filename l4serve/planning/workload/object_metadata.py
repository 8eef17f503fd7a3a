"""Labels and annotations of a workload's Kubernetes objects."""

from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem
from l4serve.planning.values.names import LABEL_PREFIX, SCALED_LABEL, shorten, workload_labels
from l4serve.planning.workload.workload_plan import ObjectMetadata


def taken_labels(path: str, workload: Workload) -> list[Problem]:
    """Labels by which the stack finds its own pods and objects."""
    own = workload_labels("", stack="", engine="", recipe=None)
    taken = (key for key in workload.labels if key in {*own, SCALED_LABEL} or key.startswith(f"{LABEL_PREFIX}/"))
    return [Problem(f"{path}.labels.{key}", "the stack sets this label itself", "remove it") for key in taken]


def object_metadata(workload: Workload, object_name: str, stack: str) -> ObjectMetadata:
    """The labels of every object, the pods' among them, and the Deployment's annotations."""
    labels = workload_labels(object_name, stack=stack, engine=workload.engine.kind, recipe=workload.recipe)
    selector = {"app.kubernetes.io/instance": object_name}
    native = workload.autoscaling is not None and workload.autoscaling.metrics_from == "gke"
    scaled = {SCALED_LABEL: object_name} if native else {}
    shared = {f"{LABEL_PREFIX}/serves": object_name} if workload.min_on_demand else {}
    return ObjectMetadata(
        labels=labels,
        selector=selector,
        serving=shared or selector,
        pod_labels={**workload.labels, **labels, **shared, **scaled},
        annotations={f"allow.{LABEL_PREFIX}/{shorten(a.rule, 63)}": a.reason for a in workload.allow},
    )
