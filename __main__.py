"""The Pulumi program: load the stack's config, plan it, build it, export what users need."""

import atexit
import gc

import pulumi

# What the SDKs and the plan load lives as long as the program: looking through it is in vain, and at the end too.
gc.set_threshold(1_000_000)
atexit.register(gc.freeze)
from stacks.serving import build  # noqa: E402
from stacks.settings import REASONS_SHOWN  # noqa: E402

try:
    build()
except pulumi.RunError as refused:  # raised again, Pulumi would add "an unhandled error occurred"
    pulumi.log.error(str(refused))
    raise SystemExit(REASONS_SHOWN) from refused
