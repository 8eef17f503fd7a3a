"""What the stack makes on Kubernetes is labelled as its own, and never taken over from somebody else.

An update takes over what a killed one left (`upsert_existing_objects`), and a destroy deletes whatever the stack holds:
without the label's word an update would adopt a stranger's namespace, and the destroy would delete it with all in it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import pulumi

from l4serve.config.frozen import frozen
from l4serve.planning.values.names import LABEL_PREFIX, label_value
from stacks.deployed import Resources, kind_of

OWNER = f"{LABEL_PREFIX}/stack"
FIELD_MANAGER = "pulumi.com/patchFieldManager"
"""Annotation with the name by which the provider applies an object, which it draws at random else."""
_APPLYING = {FIELD_MANAGER: "l4serve", "pulumi.com/patchForce": "true"}
_HOOK = "own objects only"
_NOT_FOUND = 404
_ANSWER_S = 30.0
_ASKING = ThreadPoolExecutor(max_workers=4, thread_name_prefix="own-objects")
"""Threads of its own: in the loop's, every registration waits for its answer, and the answer for one of them to end."""

Object = tuple[str, str | None, str | None]
"""Pulumi's type, namespace and name."""
Access = tuple[str | None, str | None, str]
"""Kubeconfig, context and stack."""


class ForeignObjectError(Exception):
    """An object that is about to be made is there already and is not this stack's; the message names the remedy."""


@frozen(kw_only=True)
class Cluster:
    """The cluster of a stack, as a client of it is made."""

    stack: str
    kubeconfig: pulumi.Output[str | None]
    """Text or path; None is the environment's."""
    context: str | None


def own_kubernetes_objects(cluster: Cluster, deployed: Resources) -> None:
    """Labels every Kubernetes object that the program registers from here on, and refuses to take over another's.

    An update asks the cluster about each object just before it makes it; a preview asks nothing, its cluster may not
    be there yet. Each is applied under one name and against whoever else has set its fields, but for those `deployed`
    under another name.
    """
    owner, hooks = label_value(cluster.stack), None
    if not pulumi.runtime.is_dry_run():

        async def refuse_foreign(args: pulumi.ResourceHookArgs) -> None:
            await _refuse_foreign(cluster, args.new_inputs or {})

        hooks = pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook(_HOOK, refuse_foreign)])
    pulumi.runtime.register_stack_transformation(partial(_own, owner, hooks, frozenset(_otherwise_applied(deployed))))


def _otherwise_applied(deployed: Resources) -> Iterator[Object]:
    """Objects that were made under another name, which the state knows.

    Under a new one the provider would let go of the replicas that an autoscaler has never changed.
    """
    for urn, outputs in deployed.items():
        metadata = outputs.get("metadata") or {}
        if (kind := kind_of(urn)).startswith("kubernetes:") and FIELD_MANAGER not in (
            metadata.get("annotations") or {}
        ):
            yield kind, metadata.get("namespace"), metadata.get("name")


def _own(
    owner: str,
    hooks: pulumi.ResourceHookBinding | None,
    otherwise_applied: Collection[Object],
    args: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult | None:
    metadata: Any = args.props.get("metadata")
    if not args.type_.startswith("kubernetes:") or metadata is None:
        return None
    if not isinstance(metadata, dict):
        metadata = vars(metadata)
    metadata["labels"] = {**(metadata.get("labels") or {}), OWNER: owner}
    if (args.type_, metadata.get("namespace"), metadata["name"]) not in otherwise_applied:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **_APPLYING}
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(hooks=hooks))
    return pulumi.ResourceTransformationResult(args.props, opts)


async def _refuse_foreign(cluster: Cluster, inputs: Mapping[str, Any]) -> None:
    access = (await cluster.kubeconfig.future(), cluster.context, cluster.stack)
    labels = await asyncio.get_running_loop().run_in_executor(_ASKING, _labels_on_cluster, access, inputs)
    if labels is None or labels.get(OWNER) == label_value(cluster.stack):
        return
    kind, metadata = inputs["kind"], inputs["metadata"]
    holder = f"stack {labels[OWNER]} made it" if OWNER in labels else "it carries no label of this stack"
    remedy = (
        "set createNamespace: false, which serves in it and leaves it alone, or choose another namespace"
        if kind == "Namespace"
        else "choose another name or namespace, or delete it if nobody needs it"
    )
    raise ForeignObjectError(
        f"{kind} {metadata['name']} is on the cluster already, and {holder}; taken over, `pulumi destroy` would delete "
        f"it\n    fix: {remedy}"
    )


def own_deployments(access: Access, names: Iterable[str]) -> frozenset[str]:
    """Those of these Deployments, by namespace and name, that are on the cluster and are this stack's.

    Without any where the cluster cannot be asked, in which no update gets far.
    """
    try:
        return frozenset(name for name in names if _is_own_deployment(access, name))
    except Exception as error:  # an access, a connection, an answer: each has exceptions of its own
        pulumi.log.debug(f"the cluster cannot be asked about what a killed update made: {type(error).__name__}")
        return frozenset()


def _is_own_deployment(access: Access, name: str) -> bool:
    space, _, own = name.partition("/")
    asked = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": space, "name": own}}
    return (_labels_on_cluster(access, asked) or {}).get(OWNER) == label_value(access[2])


def _labels_on_cluster(access: Access, inputs: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Labels of the object that these inputs name, as the cluster has it; None where there is none."""
    from kubernetes.client.exceptions import ApiException

    client = _client(access)
    asked = client.param_serialize("GET", _address(inputs), auth_settings=["BearerToken"])
    try:
        answer = client.call_api(*asked, _request_timeout=_ANSWER_S)
        answer.read()
        found = client.response_deserialize(answer, {"200": "object"}).data
    except ApiException as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    labels: Mapping[str, str] = found["metadata"].get("labels") or {}
    return labels


@cache
def _client(access: Access) -> Any:
    # Imported by the first object that is made: the client takes longer to load than a preview to plan.
    from l4serve.verification.cluster_access import kubeconfig_client

    return kubeconfig_client(*access)


def _address(inputs: Mapping[str, Any]) -> str:
    """Path of an object in Kubernetes' API: the plural of its kind is regular for all that the program makes."""
    version, kind, metadata = inputs["apiVersion"], inputs["kind"].lower(), inputs["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    space = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
    plural = re.sub(r"(?<=[^aeiou])ys$", "ies", f"{kind}{'es' if kind.endswith('s') else 's'}")
    return f"{root}{space}/{plural}/{metadata['name']}"
