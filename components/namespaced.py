"""Components whose objects lie in one namespace, which stands in the name of each.

What an object is called on the cluster stands in its URN. Else an update to another name is a replacement: Pulumi holds
the old object for deletion at the end, an update that fails never gets there, and the one that takes it back finds the
old object by its name, keeps it for new and deletes it then.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi


class NamespacedComponent(pulumi.ComponentResource):
    """A component of one namespace; its children begin their names with `_name` and have its older name inherited."""

    _name: str
    """`NAMESPACE/NAME`, of what another namespace has anew."""
    _plain: str
    """`NAME`, of what Google Cloud has once, whatever the namespace is."""

    def __init__(self, type_: str, name: str, namespace: str, opts: pulumi.ResourceOptions | None) -> None:
        self._name, self._plain, self._namespace = f"{namespace}/{name}", name, namespace
        older = pulumi.ResourceOptions(aliases=aliases(name))
        super().__init__(type_, self._name, None, pulumi.ResourceOptions.merge(older, opts))

    def _named(self, name: str) -> str:
        """The name of a child by what it is called on the cluster."""
        return f"{self._namespace}/{name}"


def aliases(*older: str) -> Sequence[pulumi.Alias]:
    """Names that a resource had in earlier versions of the program, whose stacks have it under them."""
    return [pulumi.Alias(name=name) for name in older]
