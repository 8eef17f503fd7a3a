"""The Pulumi program: load the stack's config, plan it, build it, export what users need."""

import pulumi

from l4serve.planning.values.lasting import keep_most

keep_most(1_000_000)  # before the kinds of resources load
from stacks.serving import build  # noqa: E402
from stacks.settings import REASONS_SHOWN  # noqa: E402

try:
    build()
except pulumi.RunError as refused:  # raised again, Pulumi would add "an unhandled error occurred"
    pulumi.log.error(str(refused))
    raise SystemExit(REASONS_SHOWN) from refused
