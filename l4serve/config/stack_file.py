"""The loader of a stack: one path from raw config values to a validated stack, for the CLI and for Pulumi alike."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from l4serve.config.excess import too_many
from l4serve.config.frozen import frozen
from l4serve.config.gathering import gather, gather_all, refuse_all
from l4serve.config.keys.base import keys_of
from l4serve.config.keys.cluster import PROJECT_ID
from l4serve.config.keys.stack import StackConfig
from l4serve.config.model_configs import ModelConfigs
from l4serve.config.reading.files import FileRefusedError, read_bytes, read_json
from l4serve.config.reading.yaml_reader import MOST_BYTES, YamlError, read_yaml
from l4serve.config.recipes import RECIPES, apply_recipes
from l4serve.config.refusals.problem_words import shown
from l4serve.config.refusals.problems import ConfigError, Problem, StackFileError, keys_at, problems_from
from l4serve.config.secrecy.random_texts import is_name_of_words, looks_random
from l4serve.config.secrecy.secret_shapes import excerpt, has_secret_shape, holds_random_run
from l4serve.config.secret_marks import marked_secrets
from l4serve.config.secrets_guard import HIDE_TOKEN, guard, line_with_secret
from l4serve.config.unknown_keys import is_misspelt, right_key
from l4serve.config.words.spelling import nearest
from l4serve.config.words.written_forms import mended_name

PROJECT = "gke-llm-serving"
SERVING_KEY = f"{PROJECT}:serving"
TOKEN_KEY = f"{PROJECT}:hfToken"


class Token(Enum):
    """What is known of the Hugging Face token without reading it."""

    ABSENT = "absent"
    CONFIGURED = "configured"


@frozen()
class Stack:
    """A validated stack."""

    name: str
    config: StackConfig
    project: str | None
    """Google Cloud project from `gcp:project`."""
    token: Token
    serving: Mapping[str, Any]
    """The object as it was given, before recipes."""
    model_configs: Mapping[str, Mapping[str, Any]]
    """The parsed config.json of each workload that names one."""
    base: Path
    """Folder that relative paths in the config start from."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """The config's own secrets by name, the token and the keys of workloads, each with its mark."""
    file: Path | None = None
    """The stack file; None where Pulumi hands the values over."""


def read_stack_file(path: Path, *, recipes: Path = RECIPES, name: str | None = None) -> Stack:
    """Reads and validates `Pulumi.<stack>.yaml`; raises StackFileError or ConfigError. Decrypts nothing.

    `recipes` is the folder of the recipes that its workloads may name, `name` the stack's where it is not the file's.
    """
    try:
        content = read_bytes(path, MOST_BYTES)
    except FileRefusedError as error:
        raise StackFileError(path, f"the file {error}", remedy="name a stack file, such as Pulumi.dev.yaml") from None
    return read_stack_text(content, path, recipes=recipes, name=name)


def read_stack_text(content: bytes, path: Path, *, recipes: Path = RECIPES, name: str | None = None) -> Stack:
    """Reads and validates what stands in a stack file, or would: `path` is where."""
    try:
        document = read_yaml(content)
    except YamlError as error:
        said = error.message.removeprefix(f"config.{SERVING_KEY}.")
        raise StackFileError(path, said, line=error.line, remedy=error.remedy) from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise StackFileError(path, _no_config(document), remedy=_begin(document))
    stack = parse_stack(name or stack_name(path), config, base=path.parent, recipes=recipes)
    if (line := line_with_secret(content.decode("utf-8", "replace"))) is not None:
        raise StackFileError(path, "a secret is written in plain text in this line", line=line, remedy=HIDE_TOKEN)
    return replace(stack, file=path)


def written_serving(path: Path) -> Mapping[str, Any] | None:
    """The serving object as a stack file has it, checked by nothing; None where the file holds none."""
    try:
        document = read_yaml(read_bytes(path, MOST_BYTES))
    except (FileRefusedError, YamlError):
        return None
    config = document.get("config") if isinstance(document, dict) else None
    try:
        return _serving_object(config.get(SERVING_KEY)) if isinstance(config, dict) else None
    except ConfigError:
        return None


def _no_config(document: Any) -> str:
    """What a file without a stack's values is."""
    if document is None:
        return "the file is empty"
    if isinstance(document, dict):
        found = document.get("config")
        kind = "list" if isinstance(found, list) else f"single value, {excerpt(found, 40)!r}"
        missing = "`config` is empty" if "config" in document else "the key `config` with the stack's values is missing"
        return missing if found is None else f"`config` is a {kind}, not a mapping of the stack's values"
    return f"the file is a {'list' if isinstance(document, list) else 'text'}, not a mapping with the key `config`"


def _begin(document: Any) -> str:
    near = None if not isinstance(document, dict) or "config" in document else nearest("config", document)
    if isinstance(document, dict) and "config" in document:
        return "write the stack's values below `config:`, each on a line of its own; l4serve init writes a stack file"
    return f"write `config:` for `{near}:`" if near else "begin it with `config:`; l4serve init writes a stack file"


def _example_at(path: str, member: str) -> Any:
    """The example of the key at a path; the reference is read only when a refusal wants it."""
    from l4serve.config.schema.key_reference import example_at

    return example_at(path, member)


def stack_name(path: Path) -> str:
    """The stack's name as its file has it; what Pulumi allows in no name is replaced, for `-f` takes any file."""
    name = path.name.removeprefix("Pulumi.").removesuffix(".yaml").removesuffix(".yml")
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name)[:100] or "stack"


def parse_stack(name: str, values: Mapping[str, Any], *, base: Path, recipes: Path = RECIPES) -> Stack:
    """Validates the config values of a stack, keyed as in the stack file; raises ConfigError with every problem.

    Relative paths in the config start from the folder `base`.
    """
    named = named_secrets(values.get(SERVING_KEY))
    unknown = _unknown_keys(values, named)
    problems = (*unknown, *_plain_secrets(values, named), *_keys_for_names(values), *_odd_project(values))
    if unknown and SERVING_KEY not in values:
        refuse_all(problems)
    _, (serving, config, models) = gather(partial(refuse_all, problems), partial(_read_config, values, base, recipes))
    project = values.get("gcp:project")
    token = Token.CONFIGURED if values.get(TOKEN_KEY) is not None else Token.ABSENT
    return Stack(
        name=name,
        config=config,
        project=None if project is None else str(project),
        token=token,
        serving=serving,
        model_configs=models,
        base=base,
        secrets=marked_secrets(values, PROJECT, ("hfToken", *named)),
    )


def _read_config(
    values: Mapping[str, Any], base: Path, recipes: Path
) -> tuple[Mapping[str, Any], StackConfig, Mapping[str, Mapping[str, Any]]]:
    """The serving object as given, the config that it makes with its recipes, and the models' config.json files."""
    serving = _serving_object(values.get(SERVING_KEY))
    refuse_all(replace(problem, path=problem.path or SERVING_KEY) for problem in guard(serving))
    merged, recipe_problems = apply_recipes(serving, recipes)
    if merged != serving:
        # A recipe comes with the project, which may be a stranger's.
        refuse_all(guard(merged))
    _, config = gather(partial(refuse_all, recipe_problems), partial(_validated, merged))
    return serving, config, _read_model_configs(config, base)


def _validated(serving: Mapping[str, Any]) -> StackConfig:
    try:
        return StackConfig.model_validate(serving)
    except ValidationError as error:
        raise ConfigError(problems_from(error, keys_of(StackConfig), _example_at, partial(_takes, serving))) from None


def _takes(serving: Mapping[str, Any], loc: Sequence[int | str], value: Any) -> bool:
    from l4serve.config.taken_values import takes

    return takes(StackConfig, serving, keys_at(loc), loc, value)


def _no_mapping(value: Any) -> ConfigError:
    what = "a list" if isinstance(value, list) else "a single value"
    remedy = "write cluster, nodePools and workloads below it, as l4serve init does"
    return ConfigError([Problem(SERVING_KEY, f"a mapping is expected, not {what}", remedy)])


def _serving_object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = read_json(value.encode("utf-8", "replace"))
        except FileRefusedError:
            raise _no_mapping(value) from None
        if much := too_many(value):
            raise ConfigError([Problem(SERVING_KEY, much, "write fewer")])
    if value is None:
        remedy = "write cluster, nodePools and workloads below it, as l4serve init does"
        raise ConfigError([Problem(SERVING_KEY, "the stack has no serving config", remedy)])
    if not isinstance(value, dict):
        raise _no_mapping(value)
    return value


def _read_model_configs(config: StackConfig, base: Path) -> Mapping[str, Mapping[str, Any]]:
    named, read = {name: w.model.config for name, w in config.workloads.items() if w.model.config}, ModelConfigs(base)
    found = gather_all(partial(read.config, f"workloads.{name}.model.config", file) for name, file in named.items())
    return dict(zip(named, found, strict=True))


def _unknown_keys(values: Mapping[str, Any], named: Collection[str]) -> list[Problem]:
    known = {SERVING_KEY, TOKEN_KEY, *(f"{PROJECT}:{name}" for name in named)}
    return [
        Problem(
            "(a key)" if has_secret_shape(key) or holds_random_run(key) else excerpt(key, 100),
            "there is no such key in this project",
            right_key(excerpt(key, 100), PROJECT, known, is_secret=_is_secret(values[key])),
        )
        for key in values
        if (key.startswith(f"{PROJECT}:") and key not in known)
        or ":" not in key
        or is_misspelt(key, PROJECT)
        or (key.endswith(":serving") and SERVING_KEY not in values)
    ]


def _is_secret(value: Any) -> bool:
    return value is SECRET or (isinstance(value, dict) and set(value) == {"secure"})


def named_secrets(serving: Any) -> tuple[str, ...]:
    """Names of the config's secrets that a serving object, as it was given, takes the keys of its workloads from."""
    return tuple(dict.fromkeys(_secret_by_workload(serving).values()))


def _secret_by_workload(serving: Any) -> Mapping[str, str]:
    try:
        workloads = _serving_object(serving).get("workloads")
    except ConfigError:
        return {}
    given = workloads.items() if isinstance(workloads, dict) else ()
    keys = {str(name): w.get("apiKey") for name, w in given if isinstance(w, dict)}
    return {w: key["config"] for w, key in keys.items() if isinstance(key, dict) and isinstance(key.get("config"), str)}


def _keys_for_names(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What stands where a secret of the config is named, names none, and is not of words: perhaps the key itself."""
    for workload, name in _secret_by_workload(values.get(SERVING_KEY)).items():
        if f"{PROJECT}:{name}" not in values and not is_name_of_words(name):
            what = "the stack's config has no such secret, and what stands here may be the key itself"
            remedy = "pulumi config set --secret chatKey, and write config: chatKey; renew a key that stood here"
            yield Problem(f"workloads.{workload}.apiKey.config", what, remedy)


def _plain_secrets(values: Mapping[str, Any], named: Collection[str]) -> Iterator[Problem]:
    for name in ("hfToken", *named):
        value = values.get(f"{PROJECT}:{name}")
        if value is None or _is_secret(value):
            continue
        if name == "hfToken":
            yield Problem(TOKEN_KEY, "the token is written in plain text in the stack's config", HIDE_TOKEN)
        elif name != "serving":
            remedy = f"pulumi config set --secret {name}, and renew the key that was stored"
            yield Problem(f"{PROJECT}:{name}", "a key is written in plain text in the stack's config", remedy)


def _odd_project(values: Mapping[str, Any]) -> list[Problem]:
    project = values.get("gcp:project")
    if project is None or re.fullmatch(PROJECT_ID, str(project)):
        return []
    if _is_secret(project):
        what = "an encrypted value cannot be used here, for the plan and the state show it"
        return [Problem("gcp:project", what, "pulumi config set gcp:project PROJECT")]
    value = "the value" if looks_random(str(project)) else shown(project)
    near = mended_name(str(project), lambda name: bool(re.fullmatch(PROJECT_ID, name))) if project else None
    listed = "give a project's id, such as my-project: `gcloud projects list` shows yours"
    remedy = f"write it as {near}" if near and isinstance(project, str) else listed
    return [Problem("gcp:project", f"{value} is not the id of a Google Cloud project", remedy)]


SECRET = object()
"""Stands for a secret value that Pulumi holds, which the loader never sees."""
