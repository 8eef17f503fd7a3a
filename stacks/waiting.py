"""Refuses the update of a Deployment whose new pod would wait for ever, where its pods change.

Whether they do, the engine knows alone: it has what each was asked for before. So it asks a hook, at a preview too.
"""

from collections.abc import Mapping

import pulumi

from l4serve.config.refusals.problems import ConfigError, Problem
from stacks.settings import refusal

_DEPLOYMENT = "kubernetes:apps/v1:Deployment"
_HOOK = "room for a new pod"


def refuse_waiting(problems: Mapping[str, Problem]) -> None:
    """Refuses each of these Deployments, by namespace and name, that is registered from here on with other pods."""
    if not problems:
        return

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        old, new = args.old_inputs or {}, args.new_inputs or {}
        metadata = new["metadata"]
        problem = problems.get(f"{metadata['namespace']}/{metadata['name']}")
        if problem is not None and old["spec"]["template"] != new["spec"]["template"]:
            raise refusal(ConfigError([problem]))

    hook = pulumi.ResourceHook(_HOOK, refuse, pulumi.ResourceHookOptions(on_dry_run=True))
    hooks = pulumi.ResourceHookBinding(before_update=[hook])

    def asked(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != _DEPLOYMENT:
            return None
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(hooks=hooks))
        return pulumi.ResourceTransformationResult(args.props, opts)

    pulumi.runtime.register_stack_transformation(asked)
