"""Ids of models on the Hub, or of one GGUF file there, and what was meant by a text that is neither.

Such a text may be an address of the Hub, or a place of weights.
"""

import re

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.words.written_forms import HUB_ID

_MODEL_ID = re.compile(rf"(?!.{{201}}){HUB_ID[1:-1]}")
_FILE_TYPE = (
    r"(?P<prefix>[A-Za-z0-9_+-]+-)?(BF16|F16|F32|MXFP4|TQ[12]_0|I?Q[1-8]_[01K]|IQ[1-4]_(NL|XXS|XS|S|M))"
    r"(?P<size>_(XXS|XS|XL|S|M|L))?"
)
"""How publishers of files for llama.cpp name one file's type, such as Q4_K_M or UD-Q4_K_XL."""
_FILE_ID = re.compile(rf"(?!.{{201}}){HUB_ID[1:-1].rstrip('?')}:{_FILE_TYPE}")
_HUB = re.compile(r"(https?://)?(www\.)?(huggingface\.co|hf\.co)/(models/)?(?=.)")


def hub_id(value: str) -> str:
    """The id itself; raises ValueError with what to write for any other text."""
    if _MODEL_ID.fullmatch(value) or _FILE_ID.fullmatch(value):
        return value
    shown = excerpt(value, 80)
    if source := _source(value):
        raise ValueError(f"{shown!r} is a place and not a model; write the Hub id, and model.source: {source}")
    raise ValueError(f"{shown!r} is not a model id of the Hub; {_id_in(value)}")


def file_type(value: str) -> str | None:
    """How the id names one file of a repository for llama.cpp: by a `type`, one with a `size`, or with a `prefix`."""
    named = _FILE_ID.fullmatch(value)
    if named is None:
        return None
    return next((part for part in ("prefix", "size") if named[part]), "type")


def without_address(value: str) -> str:
    """A text without what people leave around an id: the Hub's address, a folder's dot, a slash or mark at the end."""
    bare = value.replace("\\", "/").removeprefix("hf://").removeprefix("./").rstrip("/?")
    address = _HUB.match(bare)
    return bare[address.end() :] if address else bare


def meant_by_option(value: str) -> str:
    """What to give `--model` in place of an address; empty for a text that is none."""
    if value.startswith("gs://") and (source := _source(value)):
        return f"give the Hub id of that model, and a stack file takes the place as model.source: {source}"
    named = _named(value)
    return f"give --model {named}" if named else ""


def _source(value: str) -> str:
    """The source that names a place; empty for what is none."""
    if value.startswith("gs://"):
        return f"{{kind: bucket, uri: {excerpt(value, 80)}}}"
    return "{kind: claim, claim: NAME}" if value.startswith(("/", "./")) else ""


def _named(value: str) -> str:
    """The id in an address of the Hub; empty where there is none."""
    address = _HUB.match(value)
    named = "/".join(value[address.end() :].split("/")[:2]) if address else ""
    return named if "/" in named and _MODEL_ID.fullmatch(named) else ""


def _id_in(value: str) -> str:
    """What to write for a text that is no model id: the id in an address of the Hub, or where else weights may lie."""
    if named := _named(value):
        return f"write it as {named}"
    scheme, separator, rest = value.partition("://")
    if scheme == "hf" or not separator:
        # Of what is shown: a password before an @ is hidden there, and no owner/name is left.
        written = without_address(excerpt(value, 200))
        named, mark, _ = re.split(r"([@:]|$)", written, maxsplit=1)
        if "/" not in named or not _MODEL_ID.fullmatch(named):
            return "name it as owner/name, such as Qwen/Qwen2.5-7B-Instruct"
        return f"write it as {named}{', and a branch or tag as model.revision' if mark else ''}"
    if scheme not in ("http", "https"):
        return "write the Hub id, and copy the weights into a bucket: model.source: {kind: bucket, uri: gs://BUCKET}"
    named = "/".join(rest.split("/")[1:3])
    return f"write it as {named if _MODEL_ID.fullmatch(named) else 'owner/name'}"
