"""Names of Secrets, which are told openly: what stands before them, and which may be the secret itself."""

import re

from l4serve.config.secrecy.random_texts import looks_random

_REFERENCE = re.compile(
    r"(?:existingSecret|(?:apiKey|tls|iap|env\.\w{1,60})\.(?:\w{1,30}\.)?secret): {0,2}"
    r"|(?:\bSecret of the [\w']{1,20}|\bv1[:/]Secret):{1,2} {0,2}|^[ \t-]{0,20}Secret: (?=\S{1,253} -> )",
    re.MULTILINE,
)
"""What stands before the name of a Secret in a difference, a path of the config or a URN."""
_OF_AN_OBJECT = re.compile(r"[a-z\d](?:[a-z\d.-]{0,251}[a-z\d])?")
_LONGEST_BEFORE, _LONGEST_BEHIND = 150, 300
_OF_A_NAME = 16
"""Characters from which a piece of a Secret's name that mixes letters and digits may be the secret itself."""


def may_be_the_secret(name: str) -> bool:
    """Whether the name of a Secret has a part that looks generated, and so may be what belongs into the Secret."""
    return any(looks_random(part, _OF_A_NAME) for part in re.split("[-_./]", name))


def is_a_reference(found: re.Match[str]) -> bool:
    """Whether what stands behind a name is the name of a Secret, which is told openly, and not what is in it."""
    value = found["value"].lstrip(":")
    if not _OF_AN_OBJECT.fullmatch(value) or may_be_the_secret(value):
        return False
    start, before = found.end("value") - len(value), max(0, found.start() - _LONGEST_BEFORE)
    return any(place.end() == start for place in _REFERENCE.finditer(found.string, before, start + _LONGEST_BEHIND))
