"""From what on `l4serve diff --fail-on` fails, mildest last."""

from l4serve.planning.stack.edits import Effect

DANGER = "danger"
LEVELS = (DANGER, *(effect.text for effect in Effect if effect > Effect.NOTHING))
