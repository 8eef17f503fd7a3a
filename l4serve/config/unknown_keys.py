"""What a key beside `serving` in a stack's config was meant to be: the key, or the command, that does it."""

import re
from collections.abc import Collection

from l4serve.config.keys.stack import StackConfig
from l4serve.config.secrecy.random_texts import is_name_of_words
from l4serve.config.words.spelling import nearest

_OF_GOOGLE = "gcp:project"
_ALIKE = 0.9
"""Share of equal letters from which a key of another program is one of ours misspelt."""

_TOKEN = "hfToken"
_TOKENS = ("hftoken", "hfapitoken", "hfhubtoken", "huggingfacetoken", "huggingfaceapitoken", "huggingfacehubtoken")
"""What people call the token, in small letters without marks between the words."""


def is_misspelt(key: str, project: str) -> bool:
    """Whether a key is Google Cloud's project, or begins with this one's name, but for a letter."""
    prefix = key.rpartition(":")[0]
    alike = _letters(prefix) == _letters(project) or nearest(prefix, [project], alike=_ALIKE) is not None
    wrong = prefix != project and alike
    return wrong or (key != _OF_GOOGLE and nearest(key, [_OF_GOOGLE], alike=_ALIKE) is not None)


def right_key(key: str, project: str, known: Collection[str], *, is_secret: bool) -> str:
    """The command that would have written what a wrong key was meant to be, and the one that removes it.

    `known` are the names of this project's keys, with the prefix `project`.
    """
    name, serving = key.rpartition(":")[2], f"{project}:serving"
    if key.endswith(":serving"):
        return f"write it as {serving}, the key of this project"
    undo = f"pulumi config rm {key!r}"
    # The prefix would make all keys of the project alike.
    own = nearest(name, [one.removeprefix(f"{project}:") for one in known])
    if own == _TOKEN or _names_token(name):
        return f"{undo} && pulumi config set --secret {_TOKEN}"
    if path := _path(name):
        plainly = ", without --secret: a key for clients has a name of its own (apiKey.config)" if is_secret else ""
        return f"{undo} && pulumi config set --path {path!r} VALUE{plainly}"
    if near := f"{project}:{own}" if own else nearest(key, [_OF_GOOGLE]):
        return f"did you mean {near}?"
    if is_secret and is_name_of_words(name):
        return f"name it where it belongs, as workloads.NAME.apiKey: {{config: {name}}}, or remove it: {undo}"
    return f"write settings of the stack below {serving}, or remove it: {undo}"


def _names_token(name: str) -> bool:
    """Whether a key is called as the token is, or is a path that ends in that."""
    steps = re.split(r"[.\[]", name)
    return any(_letters("".join(steps[start:])) in _TOKENS for start in range(len(steps)))


def _letters(text: str) -> str:
    return re.sub("[^a-z]", "", text.lower())


def _path(name: str) -> str | None:
    """The path that `--path` wants for what begins with `serving` or with a key in it; None for others."""
    first = re.split(r"[.\[]", name)[0]
    if first == "serving":
        return name if name != first else None
    inside = {field.alias or key for key, field in StackConfig.model_fields.items()}
    return f"serving.{name}" if first in inside else None
