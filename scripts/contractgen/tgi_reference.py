"""TGI's launcher, server and metrics as its published reference and source text state them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_OPTION = re.compile(r"^\s+(?:(-\w), )?(--[a-z0-9-]+)(?: <(\w+)>)?\s*$", re.MULTILINE)
_ENV = re.compile(r"\[env: (\w+)=[^\]]*\]")
_DEFAULT = re.compile(r"\[default: ([^\]]*)\]")
_CHOICES = re.compile(r"\[possible values: ([^\]]*)\]")
_LISTED_CHOICE = re.compile(r"^\s+- ([\w-]+):", re.MULTILINE)
_METRIC_ROW = re.compile(r"^\| `(tgi_\w+)`\s*\|[^|]*\|\s*(\w+)\s*\|", re.MULTILINE)
_BUCKETS = re.compile(r'^ *let \w+ = Matcher::(Full|Suffix)\(String::from\("(\w+)"\)\)', re.MULTILINE)
_ROUTE = re.compile(r'\.route\(\s*"(/[^"]*)"')
_STRUCT = re.compile(r"^(?:pub )?struct Args \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_STRUCT_FIELD = re.compile(r"^    (?:pub )?(\w+): (?:Option<)?(\w+)", re.MULTILINE)
_RUST_ENV = re.compile(r'env::var(?:_os)?\("([A-Z0-9_]+)"\)')
_PYTHON_ENV = re.compile(r'os\.(?:getenv|environ\.get)\(\s*"([A-Z0-9_]+)"')

_METRIC_CALL = re.compile(r'metrics::(\w+)!\(\s*"(tgi_\w+)"')
_COMPARED_TYPE = re.compile(r'model_type (?:== "([\w.-]+)"|in \[([^\]]*)\])')
_MODEL_TYPE = re.compile(r'"type": "([\w-]+)"')

_RUST_TYPES = {"usize": "u64", "u16": "u16", "u32": "u32", "u64": "u64", "f32": "f32", "f64": "f32"}


def read_flags(root: Path) -> dict[str, dict[str, Any]]:
    """Launcher options, keyed by long name, from the published reference."""
    fields = _fields(root)
    text = reference(root).read_text(encoding="utf-8")
    flags: dict[str, dict[str, Any]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        option = _OPTION.search(section)
        if option and option.group(2) not in ("--help", "--version"):
            flags[option.group(2)] = _flag(section, option, fields)
    return dict(sorted(flags.items()))


def reference(root: Path) -> Path:
    """The launcher's reference, which stood among the tutorials before 2.3."""
    places = (root / "docs/source" / folder / "launcher.md" for folder in ("reference", "basic_tutorials"))
    return next(place for place in places if place.is_file())


def _flag(section: str, option: re.Match[str], fields: dict[str, str]) -> dict[str, Any]:
    short, name, value = option.groups()
    field = fields.get(name.removeprefix("--").replace("-", "_"), "")
    kind = _RUST_TYPES.get(field, "str") if value else "flag"
    flag: dict[str, Any] = {"type": kind}
    if field == "Vec":
        flag["repeatable"] = True
    if short:
        flag["aliases"] = [short]
    if env := _ENV.search(section):
        flag["env"] = env.group(1)
    if default := _DEFAULT.search(section):
        flag["default"] = _number(default.group(1), kind)
    if choices := _CHOICES.search(section):
        flag["choices"] = [choice.strip() for choice in choices.group(1).split(",")]
    elif "Possible values:" in section:
        flag["choices"] = _LISTED_CHOICE.findall(section.split("Possible values:")[1])
    if "Legacy version of" in section:
        flag["deprecated"] = "deprecated"
    return flag


def _number(text: str, kind: str) -> Any:
    return int(text) if kind.startswith("u") else float(text) if kind == "f32" else text


def _fields(root: Path) -> dict[str, str]:
    """Rust types of the options, the fields of the launcher's `Args` struct; that within an Option."""
    struct = _STRUCT.search((root / "launcher/src/main.rs").read_text(encoding="utf-8"))
    assert struct
    return dict(_STRUCT_FIELD.findall(struct.group(1)))


def read_environment(root: Path, flags: dict[str, dict[str, Any]]) -> list[str]:
    """Variables that the options, the launcher, the router and the model server read."""
    names = {flag["env"] for flag in flags.values() if "env" in flag}
    for path in _files(root, ("launcher/src", "router/src", "backends/v3/src"), "*.rs"):
        names |= set(_RUST_ENV.findall(path.read_text(encoding="utf-8")))
    for path in _files(root, ("server/text_generation_server",), "*.py"):
        names |= set(_PYTHON_ENV.findall(path.read_text(encoding="utf-8")))
    return sorted(names)


def read_metrics(root: Path) -> dict[str, dict[str, Any]]:
    """Exposed Prometheus names with type, from `docs/source/reference/metrics.md`, before 2.3 from the router's source.

    The exporter shows a histogram as a summary unless the server gives it buckets.
    """
    buckets = _BUCKETS.findall((root / "router/src/server.rs").read_text(encoding="utf-8"))

    def shown(name: str, kind: str) -> str:
        has_buckets = any(name == part or (how == "Suffix" and name.endswith(part)) for how, part in buckets)
        return "summary" if kind == "histogram" and not has_buckets else kind

    page = root / "docs/source/reference/metrics.md"
    rows = _METRIC_ROW.findall(page.read_text(encoding="utf-8")) if page.is_file() else _registered(root)
    rows = sorted(set(rows))
    return {name: {"type": shown(name, kind.lower()), "when": "always"} for name, kind in rows}


def _registered(root: Path) -> list[tuple[str, str]]:
    files = _files(root, ("router/src",), "*.rs")
    found = (row for path in files for row in _METRIC_CALL.findall(path.read_text(encoding="utf-8")))
    return [(name, kind.removeprefix("increment_")) for kind, name in found]


def read_models(root: Path) -> dict[str, str]:
    """Model types (as config.json names them) that the server implements itself, each of kind text."""
    text = (root / "server/text_generation_server/models/__init__.py").read_text(encoding="utf-8")
    listed = text.split("class ModelType(")[-1].split("\n\n\n")[0] if "class ModelType(" in text else ""
    known = _MODEL_TYPE.findall(listed)
    for one, several in _COMPARED_TYPE.findall(text):
        known += [one] if one else re.findall(r'"([\w.-]+)"', several)
    return dict.fromkeys(sorted(set(known)), "text")


def read_image(root: Path) -> dict[str, Any]:
    """What is in the image: the CUDA version of its last stage. Its base images search GKE's driver folder."""
    text = (root / "Dockerfile").read_text(encoding="utf-8")
    stages: list[str] = re.findall(r"^FROM nvidia/cuda:([\d.]+)-base", text, re.MULTILINE)
    return {"cuda": stages[-1], "findsDriver": True, "packages": [], "user": "root"}


def read_paths(root: Path) -> list[str]:
    """HTTP paths of the router."""
    text = (root / "router/src/server.rs").read_text(encoding="utf-8")
    return sorted(set(_ROUTE.findall(text)))


def _files(root: Path, folders: tuple[str, ...], pattern: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((root / folder).rglob(pattern))
