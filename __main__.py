"""The Pulumi program: load the stack's config, plan it, build it, export what users need."""

import pulumi

from stacks.serving import build
from stacks.settings import REASONS_SHOWN

try:
    build()
except pulumi.RunError as refused:
    # Pulumi adds "an unhandled error occurred" below what it shows of an error that a program raises.
    pulumi.log.error(str(refused))
    raise SystemExit(REASONS_SHOWN) from refused
