"""The Pulumi program: load the stack's config, plan it, build it, export what users need."""

from stacks.serving import build

build()
