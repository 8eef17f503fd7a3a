"""Refuses what a stack file must not hold, before any later message could repeat it: secrets in plain text, encrypted
values where only text can be, and characters that would act on whoever reads them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from l4serve.config.excess import excess
from l4serve.config.frozen import frozen
from l4serve.config.refusals.problems import Problem
from l4serve.config.secrecy.random_texts import is_told_openly, looks_random
from l4serve.config.secrecy.secret_commands import surrounded_secrets
from l4serve.config.secrecy.secret_names import holds_a_secret, is_secrets_name, names_a_secret, names_a_secret_inside
from l4serve.config.secrecy.secret_references import may_be_the_secret
from l4serve.config.secrecy.secret_shapes import excerpt, has_secret_shape, holds_random_run
from l4serve.config.words.characters import acting_character, without_acting

HIDE_TOKEN = "pulumi config set --secret hfToken, and revoke the token that was stored"
_FORM = "{secret: NAME, key: KEY}"
HIDE_KEY = (
    f"keep it in a Secret, as apiKey: {_FORM} for the key of the engine's server or env.VARIABLE: {_FORM} for others; "
    "renew the one that was stored"
)
_USE_ENV = (
    f"write env.VARIABLE: {_FORM}, or {{configMap: NAME, key: KEY}}; the key of the engine's server goes into apiKey, "
    "the Hugging Face token into huggingFace"
)
_LONGEST_TEXT = 64 * 1024
"""Linux takes no argument or variable of 128 KiB or more, and a chat template is a fraction of this."""
_SHORT_TEXT = 100
MOST_LONG_TEXTS = 128 * 1024
"""Characters of all texts of a stack but short ones: six large chat templates; it bounds what they take."""
_TEXTS = re.compile(r"\.(chatTemplate|extraArgs\[\d+\]|extraEnv\.[^.]+|allow\[\d+\]\.reason)$|Config\.")
"""Where a value may have several lines."""
_PROSE = re.compile(r"\.(chatTemplate|allow\[\d+\]\.reason)$|\.overrideGenerationConfig\.")
"""Where a text may speak of secrets."""
_FREE_FORM = re.compile(
    r"^workloads\.[^.]+\.(extraEnv|labels|engine\.(speculativeConfig|overrideGenerationConfig|compilationConfig"
    r"|limitMmPerPrompt|mmProcessorKwargs))\.|^nodePools\.[^.]+\.labels\.|^cluster\.resourceLabels\."
)
"""Where a config gives keys of its own."""
_COMPUTED = re.compile(r"^workloads\.[^.]+\.(extraArgs|extraEnv|engine\.(?!chatTemplate))")
"""Texts in which the plan reads numbers and JSON."""
_NAMES = re.compile(r"^workloads\.[^.]+\.(extraEnv|engine\.(image|servedModelName|tokenizer|generationConfig|lora))\b")
"""Those of them in which no number is computed with."""
_WORKLOAD = re.compile(r"^workloads\.[^.]+(?=\.)")
_EXTRA_ENV = re.compile(r"^workloads\.[^.]+\.extraEnv\.[^.]+$")
_ENV_SOURCE = re.compile(r"^workloads\.[^.]+\.env\.")
_SOURCE = re.compile(r"^workloads\.[^.]+\.(env\.[^.]+|apiKey(\.secretManager)?)$|^huggingFace(\.secretManager)?$")
"""Where a mapping tells the place of a secret: what stands there by itself may be the secret."""
_REFERENCE = re.compile(
    r"^workloads\.[^.]+\.(env\.[^.]+|apiKey)\.|^huggingFace\.|\.(tls|iap|imagePullSecrets?)\.(.*\.)?(secret|key)$"
)
"""Where a text names a secret, and is none itself."""
_HUB_TOKEN = re.compile(r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{16,}")
_OF_THE_HUB = re.compile(r"(?i)hf[_-]|hugging")
_EXPANSION = re.compile(r"(?<!\$)(?:\$\$)*\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")


@frozen()
class _Place:
    path: str
    value: Any


def guard(serving: Any) -> Iterator[Problem]:
    """The problems of a stack's object as it was written; none repeats the value or the key that is at fault."""
    waiting, told, long = [_Place("", serving)], set[str](), 0
    passed: set[tuple[str, str]] = set()
    while waiting:
        place = waiting.pop()
        if isinstance(place.value, str) and len(place.value) > _SHORT_TEXT:
            long += len(place.value)
            if long > MOST_LONG_TEXTS:
                what = f"the texts up to here are longer than {MOST_LONG_TEXTS // 1024} KiB together"
                yield Problem(place.path, what, "keep long ones in a ConfigMap, which env.VARIABLE names")
                return
        # What many workloads say alike is looked at once: nothing depends on their names.
        alike = (_WORKLOAD.sub("", place.path, count=1), place.value) if isinstance(place.value, str) else None
        if alike in passed:
            continue
        problems = [*_at(place)]
        if alike and not problems:
            passed.add(alike)
        for problem in problems:
            if problem.path not in told:
                told.add(problem.path)
                yield problem
        waiting += reversed([*_below(place)])


def _below(place: _Place) -> Iterator[_Place]:
    if isinstance(place.value, Mapping):
        for key, value in place.value.items():
            yield _Place(f"{place.path}.{_safe_key(key)}".lstrip("."), value)
    elif isinstance(place.value, list | tuple):
        for index, value in enumerate(place.value):
            yield _Place(f"{place.path}[{index}]", value)


def _safe_key(key: Any) -> str:
    return "(a key)" if _fault_of_key(str(key)) else str(key)


@lru_cache(maxsize=4096)
def _fault_of_key(key: str) -> str | None:
    if has_secret_shape(key) or names_a_secret_inside(key) or holds_random_run(key):
        return "a key holds a secret in plain text"
    if character := acting_character(key):
        return f"a key holds the character {character}, which a reader does not see as it is"
    return "a key is longer than 300 characters" if len(key) > 300 else None


def _at(place: _Place) -> Iterator[Problem]:
    value = place.value
    if isinstance(value, Mapping):
        if set(value) == {"secure"}:
            remedy = HIDE_KEY if _SOURCE.match(place.path) else "only hfToken is a secret, and what apiKey.config names"
            yield Problem(place.path, "an encrypted value cannot be used here", remedy)
        elif place.path.endswith(".extraArgs"):
            yield from _secret_arguments(
                place.path, [f"--{str(name).lstrip('-')}={given}" for name, given in value.items()]
            )
        elif _EXTRA_ENV.match(place.path):
            yield Problem(place.path, "extraEnv takes text, not a mapping", _USE_ENV)
        for key in value:
            if fault := _fault_of_key(str(key)):
                yield _of_key(place.path, str(key), fault)
    elif isinstance(value, list | tuple):
        if place.path.endswith(".extraArgs"):
            yield from _secret_arguments(place.path, value)
        elif _SOURCE.match(place.path) and value:
            yield _value_for_source(place.path)
    elif value is not None and not isinstance(value, bool) and _SOURCE.match(place.path):
        yield _named_secret(place.path, value) or _value_for_source(place.path)
    elif isinstance(value, str):
        yield from _in_text(place, value)
        if _COMPUTED.match(place.path) and (much := excess(value, numbers=not _NAMES.match(place.path))):
            yield Problem(place.path, much, "write one that the engine takes")
    elif much := excess(value):
        text = _EXTRA_ENV.match(place.path) or place.path.rpartition(".")[0].endswith("abels")
        yield Problem(place.path, much, "put it in quotes" if text else "write one that the key takes")
    elif value is not None and _is_secret_place(place.path, str(value)):
        yield _plain_secret(place.path)


def _of_key(path: str, key: str, fault: str) -> Problem:
    """The refusal of a key, which is named only where nothing but an unseen character is wrong with it."""
    if "secret" in fault:
        return Problem(path, fault, HIDE_KEY)
    plain = without_acting(key)
    if not plain or _fault_of_key(plain):
        return Problem(path, fault, "write it in plain characters")
    return Problem(f"{path}.{key}".lstrip("."), fault, f"write it as {plain}")


def _in_text(place: _Place, text: str) -> Iterator[Problem]:
    several = bool(_TEXTS.search(place.path))
    if len(text) > _LONGEST_TEXT:
        yield Problem(place.path, f"the text is longer than {_LONGEST_TEXT // 1024} KiB", "shorten it")
    elif _HUB_TOKEN.search(text):
        yield Problem(place.path, "a Hugging Face token is written here in plain text", HIDE_TOKEN)
    elif has_secret_shape(text) or _is_secret_place(place.path, text) or _holds_one_inside(place.path, text):
        yield _plain_secret(place.path)
    elif character := acting_character(text, several_lines=several):
        lines = character == "U+000A"
        what = (
            f"the text has several lines ({character})"
            if lines
            else f"the text holds the character {character}, which acts on"
        )
        mend = "write it on one line; a `|` behind a key makes one text of what follows" if lines else "remove it"
        yield Problem(place.path, what if lines else f"{what} whoever reads it", mend)
    elif (found := _EXPANSION.search(text)) and names_a_secret(found[1]):
        what = f"Kubernetes would put the value of {found[1]} here, in sight of whoever sees the pod"
        yield Problem(place.path, what, "remove it: a secret reaches the engine only by its variable")


def _named_secret(path: str, value: Any) -> Problem | None:
    """The refusal of a Secret's name in place of the mapping that holds it; None where the text may be a token."""
    if path != "huggingFace" or not is_secrets_name(str(value)):
        return None
    return Problem(path, f"a mapping is expected, not {value!r}", f"write it as {{existingSecret: {value}}}")


def _value_for_source(path: str) -> Problem:
    """A value where the name of a Secret belongs, which may be the secret itself: it is not repeated."""
    if not _ENV_SOURCE.match(path) or names_a_secret(path.rsplit(".", 1)[-1]):
        return _plain_secret(path)
    remedy = f"write {_FORM}, or {{configMap: NAME, key: KEY}}; a value in the open goes into extraEnv"
    return Problem(path, "env names where a value is kept, and takes no value", remedy)


def _plain_secret(path: str) -> Problem:
    return Problem(path, "a secret is written here in plain text", HIDE_TOKEN if _OF_THE_HUB.search(path) else HIDE_KEY)


def _holds_one_inside(path: str, text: str) -> bool:
    """Whether a text holds one by its entropy or, where it is no prose, among its words."""
    if not _PROSE.search(path) and (names_a_secret_inside(text) or any(True for _ in surrounded_secrets(text))):
        return True
    if _REFERENCE.search(path) and may_be_the_secret(text):
        return True
    named_id = _FREE_FORM.match(path) and is_told_openly(path.rsplit(".", 1)[-1].partition("[")[0], text)
    return holds_random_run(text) and not named_id


def _is_secret_place(path: str, text: str) -> bool:
    """Whether free text stands under a name that is one for secrets, and is no switch, no count and no file's path."""
    if not _FREE_FORM.match(path):
        return False
    name = path.rsplit(".", 1)[-1].partition("[")[0]
    return holds_a_secret(name, text) or (names_a_secret(name) and looks_random(text.rsplit("/", 1)[-1]))


def _secret_arguments(path: str, arguments: list[Any] | tuple[Any, ...]) -> Iterator[Problem]:
    """An option for secrets with its value, whether in one argument or in two."""
    texts = [*_flat(arguments)]
    for number, (index, argument) in enumerate(texts):
        after = texts[number + 1][1] if number + 1 < len(texts) else None
        option, equals, given = argument.partition("=")
        value = given if equals else after
        name = _whole_option(option)
        key = name.startswith("--api-k")
        if option.startswith("-") and value is not None and (key or holds_a_secret(name, value)):
            remedy = HIDE_TOKEN if _OF_THE_HUB.search(name) else HIDE_KEY
            # What follows the name in the same argument may be the secret.
            said = excerpt(re.split(r"[\s:]", option, maxsplit=1)[0], 40)
            yield Problem(f"{path}[{index}]", f"{said} would put a secret on the command line", remedy)


_FOR_SECRETS = ("--api-key", "--hf-token", "--ngrok-authtoken")
"""Options of the engines that their parsers know by a beginning too."""


def _whole_option(written: str) -> str:
    """An option as its parser reads it, where what is written begins one for secrets."""
    option = written.replace("_", "-")
    return next((each for each in _FOR_SECRETS if each.startswith(option) and len(option) > len("--a")), option)


def _flat(arguments: Iterable[Any], index: int | None = None) -> Iterator[tuple[int, str]]:
    """Each argument with its place in the list; lists inside, which are refused later, are looked through too."""
    for number, argument in enumerate(arguments):
        place = number if index is None else index
        if isinstance(argument, list | tuple):
            yield from _flat(argument, place)
        else:
            yield place, str(argument)


def line_with_secret(text: str) -> int | None:
    """The first line of a file in which a secret is written in plain text, in a comment, a tag or an anchor too."""
    if not has_secret_shape(text):
        return None
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if has_secret_shape(line)), None)
