"""l4serve explain: what a key of a stack file means, takes and does."""

from dataclasses import replace
from typing import Annotated

import typer
from rich.text import Text

from l4serve.cli.shell.messages import refuse_input
from l4serve.cli.shell.output import SafeConsole, print_json
from l4serve.cli.shell.tables import wrapped
from l4serve.cli.subjects.completion import complete_key
from l4serve.cli.subjects.stack_options import JsonOption
from l4serve.config.schema.key_reference import KeyEntry, all_keys, known_keys, objects
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.stack_file import SERVING_KEY, TOKEN_KEY
from l4serve.config.words.spelling import nearest
from l4serve.engines.releases.flag_spans import FlagSpan, flag_spans
from l4serve.engines.releases.profile import engine_kinds
from l4serve.planning.stack.edits import effects_below, find_edit

SCHEMA_VERSION = 1
_ALIKE = 0.6
_TOKENS_EDIT = "huggingFace.tokenRevision"
"""What counts the edits of the token, whose value no plan shows."""


def _pulumi_key(path: str, default: str, example: str, text: str) -> KeyEntry:
    return KeyEntry(
        path=path, pattern=path, part="config", chosen_by="", text=text, type="string", default=default,
        example=example, below=(),
    )  # fmt: skip


_PROJECT = _pulumi_key(
    "gcp:project", "required", "my-project",
    "Google Cloud project that pays for the stack; stands beside the serving key, and Google's provider reads it too.",
)  # fmt: skip
_TOKEN = _pulumi_key(
    TOKEN_KEY, "null", "{secure: AAABAD}",
    "Hugging Face token of gated models; `pulumi config set --secret hfToken` writes it beside the serving key.",
)  # fmt: skip
_SERVING = replace(
    _pulumi_key(
        SERVING_KEY, "required", "{cluster: {...}, nodePools: {...}, workloads: {...}}",
        "The stack: the cluster, its GPU node pools, and the models that are served on them.",
    ),
    type="object",
    below=tuple(objects()["StackConfig"]["properties"]),
)  # fmt: skip
_PULUMI_KEYS = {_PROJECT.path: _PROJECT, _TOKEN.path: _TOKEN, "hfToken": _TOKEN, SERVING_KEY: _SERVING}
"""Keys of Pulumi's own config, beside the one that the models describe."""


def explain(
    key: Annotated[
        str,
        typer.Argument(
            help="Key without the names of workloads and pools, such as workloads.engine.maxModelLen.",
            autocompletion=complete_key,
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Explain a key of a stack file: text, bounds, default, example, what an edit does, the flag it becomes."""
    entries = _entries(key)
    if as_json:
        print_json({"schemaVersion": SCHEMA_VERSION, "key": key, "entries": [_json(entry) for entry in entries]})
        return
    console = SafeConsole()
    for number, entry in enumerate(entries):
        if number:
            console.print()
        _print(entry, console)


def _entries(key: str) -> list[KeyEntry]:
    """The entries of a path; of a bare last part too, where only one path ends in it. Exits 2 for an unknown key."""
    if key in _PULUMI_KEYS:
        return [_PULUMI_KEYS[key]]
    paths = known_keys()
    ending = [path for path in paths if path.rpartition(".")[2] == key]
    path = key if key in paths else ending[0] if len(ending) == 1 else None
    if path is None:
        raise refuse_input(f"there is no key {excerpt(key, 200)!r}\n    fix: {_meant(key, paths, ending)}")
    return _merged([entry for entry in all_keys() if entry.path == path])


def _meant(key: str, paths: tuple[str, ...], ending: list[str]) -> str:
    if ending:
        return f"give one of {', '.join(ending)}"
    elsewhere = [path for path in paths if path.rpartition(".")[2] == key.rpartition(".")[2]]
    if near := nearest(key, elsewhere, alike=0.0):
        return f"did you mean {near}?"
    last = {path.rpartition(".")[2]: path for path in reversed(paths)}
    near = nearest(key, paths, alike=_ALIKE) or last.get(nearest(key.rpartition(".")[2], last) or "")
    return f"did you mean {near}?" if near else "docs/config-reference.md lists every key"


def _merged(entries: list[KeyEntry]) -> list[KeyEntry]:
    """One entry, chosen by each of them, where several objects say the same of a key."""
    told: dict[tuple[str, ...], KeyEntry] = {}
    for entry in entries:
        said = (entry.text, entry.type, entry.default, _kind_of_engine(entry))
        chosen = [*(told[said].chosen_by.split(", ") if said in told else ()), entry.chosen_by]
        told[said] = replace(entry, chosen_by=", ".join(dict.fromkeys(chosen)))
    return list(told.values())


def _kind_of_engine(entry: KeyEntry) -> str:
    return entry.chosen_by if entry.path.startswith("workloads.engine") else ""


def key_spans(entry: KeyEntry) -> tuple[FlagSpan, ...]:
    """The flag that the key becomes, release by release; only keys of an engine become one."""
    where, _, key = entry.path.partition("workloads.engine.")
    field = f"workloads.engine.{key.partition('.')[0]}"
    # A key below a field is of the engine that has the field.
    chosen = entry.chosen_by or next((each.chosen_by for each in all_keys() if each.path == field), "")
    kind = chosen.removeprefix("kind: ")
    return flag_spans(kind, key) if not where and kind in engine_kinds() else ()


def _print(entry: KeyEntry, console: SafeConsole) -> None:
    from l4serve.config.reading.yaml_text import flow

    chosen = f" ({entry.chosen_by})" if entry.chosen_by else ""
    console.print(Text.assemble((entry.path, "bold"), chosen))
    console.print(f"  {entry.text}")
    unset = "unset" if entry.default == "null" else entry.default
    rows = [("takes", entry.type.replace("`", "")), ("default", unset)]
    rows.append(
        (
            "example",
            f"{entry.path.rpartition('.')[2]}: {entry.example if entry.part == 'config' else flow(entry.example)}",
        )
    )
    effect, note = _edit(entry)
    if effect is not None:
        rows.append(("an edit", f"{effect}{f'; {note}' if note else ''}"))
    rows += [("flag", f"{span.flag or 'none'} in {span.releases}") for span in key_spans(entry)]
    if entry.below:
        rows.append(("keys", " ".join(entry.below)))
    for name, value in rows:
        console.print(wrapped(Text(f"  {name + ':':<9}{value}"), console.width, " " * 11))


def _edit(entry: KeyEntry) -> tuple[str | None, str | None]:
    """What an edit does, and a note on it; of an object, from the softest to the hardest effect of its keys."""
    if entry.path == TOKEN_KEY:
        entry = replace(entry, pattern=_TOKENS_EDIT)
    if (edit := find_edit(entry.pattern)) is not None:
        return edit.effect.text, edit.note or None
    found = effects_below(entry.pattern)
    if not found:
        return None, None
    if len(found) == 1:
        return found[0].text, None
    return f"{found[0].text} to {found[-1].text}", "each of its keys says its own"


def _json(entry: KeyEntry) -> dict[str, object]:
    effect, note = _edit(entry)
    return {
        "path": entry.path,
        "object": entry.part,
        "chosenBy": entry.chosen_by or None,
        "text": entry.text,
        "type": entry.type.replace("`", ""),
        "default": entry.default,
        "example": entry.example,
        "edit": effect,
        "editNote": note,
        "flags": [{"flag": span.flag, "releases": span.releases} for span in key_spans(entry)],
        "keys": list(entry.below),
    }
