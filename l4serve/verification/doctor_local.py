"""What this machine says of a stack before the cloud is asked: programs, and the token of gated models."""

import shutil
from collections.abc import Callable, Iterator

from l4serve.planning.stack.stack_plan import TOKEN_WAYS, StackPlan
from l4serve.verification.doctor_finding import Finding, bad, ok

Which = Callable[[str], str | None]
_PLUGIN = "gke-gcloud-auth-plugin"


def local_findings(plan: StackPlan, which: Which = shutil.which) -> Iterator[Finding]:
    """Programs on PATH, the token that gated models want, and the keys of clients; reads no network."""
    yield from programs(which, plugin=plan.cluster.managed is not None or plan.cluster.looked_up)
    if plan.token_missing:
        gated = ", ".join(plan.token_missing)
        yield bad("token", f"what {gated} reads of the Hub is gated, and the stack has no token", TOKEN_WAYS)
    else:
        yield ok("token", "every gated model has one, or none is gated")
    for name in plan.keys_missing:
        yield bad("API key", f"the stack's config has no secret {name}", f"pulumi config set --secret {name}")


def programs(which: Which = shutil.which, *, plugin: bool = True) -> Iterator[Finding]:
    """Programs on PATH, with `plugin` the one that gets a credential of a GKE cluster too."""
    yield _program("pulumi", "install the Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/", which)
    if plugin:
        fix = "gcloud components install gke-gcloud-auth-plugin, or the package of that name"
        yield _program(_PLUGIN, fix, which)


def _program(name: str, fix: str, which: Which) -> Finding:
    found = which(name)
    return ok(name, found) if found else bad(name, "it is not on PATH", fix)
