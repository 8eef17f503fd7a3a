"""l4serve doctor: what heals a stack whose last update was killed."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from l4serve.cli.messages import refuse_input
from l4serve.planning.stack.pending import StateError, healing_command, pending_creates

NEEDS_HEALING = 1


def doctor(
    state: Annotated[Path | None, typer.Argument(help="Exported state; unset reads standard input.")] = None,
) -> None:
    """Say what heals a stack after a killed update: pulumi stack export | l4serve doctor. Exit 1 where it needs it."""
    try:
        text = sys.stdin.read() if state is None else state.read_text(encoding="utf-8")
        found = pending_creates(json.loads(text))
    except OSError as error:
        raise refuse_input(f"{state}: {error.strerror or error}") from None
    except (StateError, ValueError) as error:
        raise refuse_input(f"{state or 'standard input'}: {error}") from None
    if not found:
        print("Nothing is pending: pulumi cancel, then pulumi up, ends what was begun.")
        return
    for each in found:
        print(f"{each.urn}\n    {f'adopted as {each.import_id}' if each.import_id else 'made again by pulumi up'}")
    print(f"Heal it with: pulumi cancel; {healing_command(found)} && pulumi up")
    raise typer.Exit(NEEDS_HEALING)
