"""What the form of a text is called, and how a text that misses it by a little is written right."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from l4serve.config.data_file import load_data
from l4serve.config.words.amounts import is_unit, moment

QUANTITY = r"^([0-9]+|[0-9]*\.[0-9]+)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
BYTE_COUNT = r"^[0-9]+(\.[0-9]+)?[kmgtKMGT]?$"
LOCATION = r"^[a-z]+-[a-z]+[0-9]+(-[a-z])?$"
ZONE = r"^[a-z]+-[a-z]+[0-9]+-[a-z]$"
IN_PROJECT = r"projects/([a-z][-a-z0-9]*(\.[a-z0-9][-a-z0-9]*)*:)?[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?/"
"""A project by id or by number, before what it holds."""
_HUB_PART = r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*"
_FILE_PART = r"\.?[A-Za-z0-9_][A-Za-z0-9_.+=@~-]*"
BUCKET = r"[a-z0-9]+([_-]+[a-z0-9]+|\.[a-z0-9]+)*"
BUCKET_NAME = rf"^{BUCKET}$"
HUB_ID = rf"^{_HUB_PART}(/{_HUB_PART})?$"
"""As the Hub takes names: words between single dots and dashes."""
FOLDER = rf"^(/{_FILE_PART})+$"
"""An absolute path, none of whose parts is `.` or `..`."""
PLACE = rf"^({_FILE_PART}|/{_FILE_PART})(/{_FILE_PART})*$"
"""A path in the container, absolute or not, none of whose parts is `.` or `..`."""
TREE = rf"^(/|({_FILE_PART}|/{_FILE_PART})(/{_FILE_PART})*/?)$"
"""The same of a folder, which may be the root and may end with a slash."""
SOURCE = rf"^({_HUB_PART}(/{_HUB_PART})*(@{_HUB_PART})?|(/{_FILE_PART})+|(gs|s3|az|hf)://{_FILE_PART}(/{_FILE_PART})*)$"
SERVED_NAME = r"^[A-Za-z0-9_]([A-Za-z0-9@_.+: -]*[A-Za-z0-9_+])?(/[A-Za-z0-9_]([A-Za-z0-9@_.+: -]*[A-Za-z0-9_+])?)*$"
GIT_REF = r"^[A-Za-z0-9_][A-Za-z0-9_+-]*([./][A-Za-z0-9_+-]+)*$"
PYTHON_NAME = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*(:[A-Za-z_][A-Za-z0-9_]*)?$"
VERSION = r"^v?[0-9]+(\.[0-9]+){1,3}([.-]?[a-z0-9]+)*$"

_CALLED: Mapping[str, str] = {
    QUANTITY: "is not a quantity: a number, alone or with m, k, M, G, T, Ki, Mi, Gi or Ti",
    LOCATION: "is neither a region nor a zone",
    ZONE: "is not a zone",
    BUCKET_NAME: "is not the name of a bucket: small letters, digits and single dots between them, - and _",
    SOURCE: "is neither a Hub id, nor an absolute path in the container, nor a gs:// or s3:// address",
    FOLDER: "is not an absolute path without . and ..",
    PLACE: "is not a path without . and .. and a slash at its end",
    TREE: "is not a path without . and ..",
    SERVED_NAME: "is not a name that clients can ask for: letters, digits and . : + @ _ - between single slashes",
    GIT_REF: "is not a branch, tag or commit",
    PYTHON_NAME: "is not the name of a Python class or function",
    VERSION: "is not a release: numbers with dots between them",
}
_WORD = "is not a word of letters, digits and . _ -, beginning with a letter or digit"
_UNIT = re.compile(r"([0-9.]+)\s*([kKMGTgt]?|m(?=i))(i?)[bB]?(ytes?)?")
_LETTER_O = re.compile(r"(?<=[0-9.])[oO](?=[0-9.]|$)")
_PLACE_WORDS = re.compile(
    r"(africa|asia|ap|australia|europe|eu|me|northamerica|southamerica|us)"
    r"[-_. ]*([a-z]+)[-_. ]*(\d+)(?:[-_. ]*([a-z]))?"
)
_CONTINENTS = {"ap": "asia", "eu": "europe"}
"""As another cloud calls continents."""
_MILLI = re.compile(r"([0-9]+)\s*m(illi[a-z]*|\s*v?cpus?|\s*cores?)?")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_ACCOUNT = re.compile(r"serviceAccount:|(//iam\.googleapis\.com/)?projects/[^/]+/serviceAccounts/")
"""Before a service account's address, as policies and the API of IAM write it."""
_NUMBER = re.compile(r"([0-9.]+)\s*([A-Za-z]+)")


def called(pattern: str, key: str = "") -> str:
    """What a text that does not have a form is told, at a key; a word of an engine has no name of its own."""
    return _CALLED.get(pattern) or load_data(__file__, "forms.yaml").get(key, _WORD)


def mended_to(value: str, pattern: str) -> str | None:
    """The text in the nearest writing that a pattern takes; None where it takes none."""
    fits = re.compile(pattern).fullmatch
    if pattern in (LOCATION, ZONE):
        place = written_location(value)
        return place if place and fits(place) else None
    if pattern == BUCKET_NAME:
        name = value.strip().removeprefix("gs://").partition("/")[0].lower()
        return name if name != value and len(name) > 2 and fits(name) else None
    if pattern == BYTE_COUNT:
        return _byte_count(value.strip())
    return next((text for text in _writings(value) if text and text != value and fits(text)), None)


def _byte_count(text: str) -> str | None:
    """4GiB as 4G and 4GB as 4g, which vLLM reads as a decimal multiple; None for what is no such amount."""
    found = _UNIT.fullmatch(text)
    if found is None or not found[2]:
        return None
    decimal = not found[3] and text[-1] in "bBs"
    return found[1] + (found[2].upper() if found[3] else found[2].lower() if decimal else found[2])


def written_location(value: str) -> str | None:
    """A region or zone as Google writes it, of one with dashes or letters of another's; None where it names none."""
    found = _PLACE_WORDS.fullmatch(_plain(value).strip().lower())
    if found is None:
        return None
    continent, area, number, zone = found.groups()
    return f"{_CONTINENTS.get(continent, continent)}-{area}{number}" + (f"-{zone}" if zone else "")


def form_shown(value: str, pattern: str) -> str:
    """What to write for a text that no writing mends, where an example would name another place; else empty."""
    if pattern == ZONE:
        region = written_location(value)
        return f"name a zone, such as {region}-b" if region else "name a zone, such as us-central1-a"
    return "give a region such as us-central1, or a zone such as us-central1-a" if pattern == LOCATION else ""


def mended_name(value: str, fits: Callable[[str], bool], most: int = 253) -> str | None:
    """The name in letters, digits and dashes, else underscores, cut to `most` characters; None where none fits."""
    if re.search(r"[${]", value) or not re.search("[A-Za-z]", value):
        return None
    plain = _plain(value)
    dashed = re.sub(r"[^a-z0-9]+", "-", plain.lower())
    names = (dashed[:most].strip("-"), re.sub(r"[^A-Za-z0-9]+", "_", plain)[:most].strip("_"))
    return next((name for name in names if re.search("[A-Za-z]", name) and fits(name)), None)


def _writings(value: str) -> Iterator[str]:
    text = value.strip()
    yield _LETTER_O.sub("0", text)
    if account := _ACCOUNT.match(text):
        yield text[account.end() :]
    if milli := _MILLI.fullmatch(text):
        yield f"{milli[1]}m"
    if _ADDRESS.fullmatch(text):
        yield f"{text}/32"
    if unit := _UNIT.fullmatch(text):
        multiple = unit[2].upper() if unit[3] or unit[2] != "k" else "k"
        yield f"{unit[1]}{multiple}{unit[3]}"
    if (number := _NUMBER.fullmatch(text)) and not is_unit(number[2]):
        yield number[1]
    if time := moment(text):
        yield time
    yield re.sub(r"^https?://", "", text).rstrip("/")
    yield text.removeprefix("v")
    yield f"/{text}"
    yield f"gs://{text}"
    plain = _plain(text)
    if 2 * len(plain) > len(text):
        yield plain
        yield plain.lower()


def _plain(text: str) -> str:
    """The text in ASCII, accents left out."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
