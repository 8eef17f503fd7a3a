"""l4serve doctor: what heals a stack whose last update was killed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from l4serve.cli.messages import refuse_input
from l4serve.cli.output import one_line, say
from l4serve.config.files import FileRefusedError, read_bytes, read_json
from l4serve.planning.stack.pending import StateError, healing_command, pending_creates

NEEDS_HEALING = 1
MOST_STATE_BYTES = 8 * 2**20
"""Of an exported state, which has some kilobytes per resource."""


def doctor(
    state: Annotated[Path | None, typer.Argument(help="Exported state; unset reads standard input.")] = None,
) -> None:
    """Say what heals a stack after a killed update: pulumi stack export | l4serve doctor. Exit 1 where it needs it."""
    try:
        found = pending_creates(read_json(_content(state)))
    except FileRefusedError as error:
        raise refuse_input(f"{state or 'standard input'}: it {error}") from None
    except StateError as error:
        raise refuse_input(f"{state or 'standard input'}: {error}") from None
    if not found:
        say("Nothing is pending: pulumi cancel, then pulumi up, ends what was begun.")
        return
    for each in found:
        fate = f"adopted as {one_line(each.import_id)}" if each.import_id else "made again by pulumi up"
        say(f"{one_line(each.urn)}\n    {fate}")
    say(f"Heal it with: pulumi cancel; {one_line(healing_command(found))} && pulumi up")
    raise typer.Exit(NEEDS_HEALING)


def _content(state: Path | None) -> bytes:
    """The exported state, within its limit. Raises FileRefusedError."""
    if state is not None:
        return read_bytes(state, MOST_STATE_BYTES)
    content = sys.stdin.buffer.read(MOST_STATE_BYTES + 1)
    if len(content) > MOST_STATE_BYTES:
        raise FileRefusedError(f"is larger than {MOST_STATE_BYTES // 2**20} MiB")
    return content
