"""Finds the providers that outlive a killed Pulumi CLI, which nobody ends."""

import os
from collections.abc import Iterator

import psutil

from l4serve.verification.doctor_finding import Finding, bad

_PROVIDER = "pulumi-resource-"
_ENGINE = "pulumi"
"""The CLI and what it starts are named so, with or without what follows."""


def stray_providers() -> tuple[psutil.Process, ...]:
    """Providers of this user that no Pulumi process has started, or none that still lives."""
    return tuple(_strays())


def _strays() -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.name().startswith(_PROVIDER) and process.uids().real == os.getuid() and _is_left(process):
                yield process
        except psutil.Error:
            continue


def _is_left(provider: psutil.Process) -> bool:
    parent = provider.parent()
    return (parent is None or not parent.name().startswith(_ENGINE)) and provider.status() != psutil.STATUS_ZOMBIE


def stray_findings() -> Iterator[Finding]:
    """One finding for all strays, with the command that ends them; none where there is no stray."""
    strays = stray_providers()
    if not strays:
        return
    names = ", ".join(sorted({each.name() for each in strays}))
    yield bad(
        "providers",
        f"{names} outlived a Pulumi CLI that was killed, and may still be making what it had begun",
        f"kill {' '.join(str(each.pid) for each in strays)}",
    )
