"""Google's SDK, loaded by the first of its resources: a stack on an existing cluster may make none of them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pulumi_gcp as gcp
else:

    class _Gcp:
        def __getattr__(self, name: str) -> object:
            import pulumi_gcp

            return getattr(pulumi_gcp, name)

    gcp = _Gcp()

__all__ = ["gcp"]
