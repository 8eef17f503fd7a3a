"""The Google APIs that a stack needs."""

from __future__ import annotations

import pulumi

from components.google import gcp
from l4serve.config.frozen import frozen


@frozen(kw_only=True)
class ProjectServicesArgs:
    """Names such as container.googleapis.com, and the project (None: the provider's)."""

    apis: tuple[str, ...]
    project: str | None


class ProjectServices(pulumi.ComponentResource):
    """Turns Google APIs on. They stay on after a destroy, as others may use them."""

    enabled: pulumi.Output[tuple[str, ...]]
    """The APIs, once they are on; resources that need them take this as an input."""

    def __init__(self, name: str, args: ProjectServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:cluster:ProjectServices", name, None, opts)
        self.services = tuple(self._make_service(name, api, args.project) for api in args.apis)
        self.enabled = pulumi.Output.all(*(s.service for s in self.services)).apply(tuple)
        self.register_outputs({"enabled": self.enabled})

    def _make_service(self, name: str, api: str, project: str | None) -> gcp.projects.Service:
        return gcp.projects.Service(
            f"{name}-{api.split('.')[0]}",
            service=api,
            project=project,
            disable_on_destroy=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
