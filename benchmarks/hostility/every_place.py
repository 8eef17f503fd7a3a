"""Odd values and secrets at every key of a stack, under every option of a command, in the environment, in files that a
stack names; the places come from the schema and from the commands themselves, so that new ones are attacked too."""

import base64
import json
import os
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer
import yaml

from benchmarks.hostility.inputs import ACTING, GOOD, MARKUP, ODD, SERVING, Case, stack_case
from benchmarks.hostility.other_commands import put
from l4serve.cli.app import app
from l4serve.cli.commands.schema_command import stack_file_schema

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_NAMES = {"nodePools": "l4", "workloads": "qwen", "computeClasses": "c"}
"""What stands for a name of the good stack's own."""
_LISTED: tuple[Any, ...] = (
    {"a": 1},
    [[]],
    ["x", "x"],
    [None, 1],
    "::error ::y",
    {"secure": "x"},
    {"$ref": "#"},
    1e400,
    "\\u202e",
    "${x}",
)
_WORDS = (
    "[/INST]", "\x1b[31mx", "x\n::error ::y", "::add-mask::x", "\u202ex", "-1", "0", "1e400", "nan", "-inf", "9" * 40,
    "../../etc/passwd", "/dev/zero", "{0}", "%s", "$(HF_TOKEN)", "", " ", "a" * 5000, "\udcff", "--", "-h=", "1,2,3",
    "\u0661\u0662", "0x10", "1_000", "1e5", "true", "null", "@/etc/passwd", "file:///etc/passwd", "a/../b", "\ufeff1",
)  # fmt: skip
_SETTINGS = {
    "HF_ENDPOINT": ("fit", "--model", "org/unknown"), "HF_HOME": ("fit", "--model", "org/unknown"),
    "HF_TOKEN": ("fit", "--model", "org/unknown"), "HTTPS_PROXY": ("fit", "--model", "org/unknown"),
    "SSL_CERT_FILE": ("fit", "--model", "org/unknown"), "SSLKEYLOGFILE": ("fit", "--model", "org/unknown"),
    "XDG_CACHE_HOME": ("plan", "-s", "dev"), "HOME": ("plan", "-s", "dev"), "COLUMNS": ("plan", "-s", "dev"),
    "LINES": ("plan", "-s", "dev"), "TERM": ("plan", "-s", "dev"), "NO_COLOR": ("plan", "-s", "dev"),
    "FORCE_COLOR": ("models",), "LANG": ("plan", "-s", "dev"), "TMPDIR": ("diff", "HEAD", "-s", "dev"),
    "GIT_DIR": ("diff", "HEAD", "-s", "dev"), "GIT_CONFIG_GLOBAL": ("diff", "HEAD", "-s", "dev"),
    "PATH": ("diff", "HEAD", "-s", "dev"), "KUBECONFIG": ("doctor", "--offline", "-s", "dev"),
    "PULUMI_HOME": ("doctor", "--offline", "-s", "dev"), "PULUMI_BACKEND_URL": ("doctor", "--offline", "-s", "dev"),
    "PULUMI_CREDENTIALS_PATH": ("doctor", "--offline", "-s", "dev"), "L4SERVE_STATE_DIR": ("sandbox", "status"),
    "L4SERVE_CACHE_DIR": ("sandbox", "status"), "XDG_STATE_HOME": ("sandbox", "down"),
    "L4SERVE_API_KEY": ("verify", "--base-url", "http://127.0.0.1:9", "--engine", "vllm", "--engine-version", "0.26.0"),
    "_L4SERVE_COMPLETE": ("plan",), "NO_PROXY": ("fit", "--model", "org/unknown"),
}  # fmt: skip
_KUBECONFIGS = (
    b"", b"[" * 200_000, b"apiVersion: v1\nkind: Config\n", b"{}", b"- a\n", b"\xff\xfe\x00",
    b"clusters: 1\ncontexts: x\n",
    b"current-context: \"\\x1b[31m\\n::error ::y\"\ncontexts: []\nclusters: []\nusers: []\n",
    b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n" * 9, b"users: [{name: u, user: {exec: {command: /bin/false}}}]\n",
    b"clusters: [{name: c, cluster: {server: 'ftp://x', certificate-authority: /dev/zero}}]\n",
    b"%YAML 9.9\n---\na: b\n",
)  # fmt: skip


def every_place(rng: random.Random, per_kind: int) -> Iterator[Case]:
    """So many cases of each kind, and the environment's, the kubeconfigs' and the secrets' all."""
    keys, options = list(places()), list(_options())
    for _ in range(per_kind):
        odd = rng.choice((*ODD, *ACTING, *MARKUP, *_LISTED))
        serving = put(dict(GOOD), list(rng.choice(keys)), odd)
        yield stack_case("keys of the schema", serving, rng.choice(_READERS))
    for _ in range(per_kind):
        command, option = rng.choice(options)
        said = option if option.startswith("--") else ""
        words = (said, rng.choice(_WORDS)) if rng.random() < 0.8 and said else (f"{said}={rng.choice(_WORDS)}",)
        yield Case("options of commands", (*command, *words), _nothing)
    yield from (_as_json(rng) for _ in range(per_kind))
    for name, command in _SETTINGS.items():
        for value in rng.sample([word for word in _WORDS if "\udcff" not in word], 6):
            yield Case("variables of the environment", command, _nothing, environment={name: value})
    yield from _kubeconfigs()
    yield from _secrets(rng, keys)


_READERS = (("plan",), ("plan", "--json"), ("check", "--json"), ("dashboard",), ("advise",), ("shapes",), ("bench",))


@cache
def places() -> tuple[tuple[str, ...], ...]:
    """The path of every key that the schema of a stack file knows; of a list its first entry."""
    schema = stack_file_schema()
    found = dict.fromkeys(_below(schema, schema["properties"]["config"]["properties"][SERVING], (), ()))
    return tuple(found)


def _below(schema: Any, node: Any, path: tuple[str, ...], seen: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if reference := node.get("$ref"):
        name = reference.rpartition("/")[2]
        if name not in seen:
            yield from _below(schema, schema["$defs"][name], path, (*seen, name))
        return
    for way in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ()), *_then(node)):
        yield from _below(schema, way, path, seen)
    for name, inner in node.get("properties", {}).items():
        yield (*path, name)
        yield from _below(schema, inner, (*path, name), seen)
    values = node.get("additionalProperties")
    for inner in (values, *node.get("patternProperties", {}).values()):
        if isinstance(inner, dict):
            yield from _below(schema, inner, (*path, _NAMES.get(path[-1], "a") if path else "a"), seen)
    if isinstance(node.get("items"), dict):
        yield from _below(schema, node["items"], (*path, "0"), seen)


def _then(node: Any) -> Iterator[Any]:
    yield from (node[word] for word in ("if", "then", "else") if isinstance(node.get(word), dict))


def _options() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command with each option and argument that takes a value."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(app))]
    while waiting:
        path, command = waiting.pop()
        if hasattr(command, "list_commands"):
            context: Any = None
            waiting += [((*path, name), command.get_command(context, name)) for name in command.list_commands(context)]
        elif path[-1] not in ("up", "build", "install"):
            yield from ((path, each.opts[0]) for each in command.params if not getattr(each, "is_flag", False))


def _as_json(rng: random.Random) -> Case:
    """A stack whose object is a text of JSON, cut, doubled or nested, as one side of a difference."""
    text = json.dumps(put(dict(GOOD), list(rng.choice(places())), rng.choice(_LISTED)))
    cut = rng.randrange(len(text))
    forms = (
        text,
        text[:cut],
        text[:cut] + rng.choice(('"', "\\", "{", "]", "\x00", "1e999")) + text[cut:],
        f"[{text}]",
    )
    written = rng.choice((*forms, '{"a":' * 300 + "1" + "}" * 300, '{"workloads": {"a": 1, "a": 2}}', '"\\ud800"'))

    def prepare(folder: Path) -> None:
        for name, serving in (("a", dict(GOOD)), ("b", written)):
            document = yaml.safe_dump({"config": {"gcp:project": "my-project", SERVING: serving}})
            (folder / f"Pulumi.{name}.yaml").write_text(document, encoding="utf-8", errors="surrogatepass")

    sides = rng.choice((("{}/Pulumi.a.yaml", "{}/Pulumi.b.yaml"), ("{}/Pulumi.b.yaml", "{}/Pulumi.a.yaml")))
    form = rng.choice(((), ("--json",), ("--markdown",)))
    return Case("a stack's object as JSON", ("diff", "--from", sides[0], "--to", sides[1], *form), prepare)


def _kubeconfigs() -> Iterator[Case]:
    cluster = {"mode": "existing", "name": "llm", "location": "us-central1-a", "kubeconfig": "kube"}
    for content in _KUBECONFIGS:
        for command in (("doctor", "--offline"), ("verify", "--timeout", "1")):
            case = stack_case("kubeconfigs", {**GOOD, "cluster": cluster}, command)

            def prepare(folder: Path, case: Case = case, content: bytes = content) -> None:
                case.prepare(folder)
                (folder / "kube").write_bytes(content)

            yield Case(case.kind, case.argv, prepare)
    for make in (os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")):
        yield Case(
            "kubeconfigs", ("doctor", "--offline", "-s", "dev"), lambda f, make=make: make(f / "kube"),
            environment={"KUBECONFIG": "{}/kube"},
        )  # fmt: skip


_FORMS = (
    "{r24}", "{s26}", "{h32}", "--x={r20}", "https://example.com/{r24}/x", "org/{s32}", "db:5432:app:me:plain{r6}",
    "密码:plain{r6}", "contraseña=plain{r6}", "mot de passe : plain{r6}", "пароль=plain{r6}",
    "{b30}", "ghp_{r36}", "sk-{r40}", "hf_{r34}",
    "curl -u me:plain{r6} https://x", "Authorization: Bearer {r30}", "a@{s24}", "/models/{s28}", "x?sig={r30}",
    "mc alias set m http://h:9000 me plain{r6}", "net use Z: \\\\h\\s plain{r6} /user:me",
    "rclone config update r pass plain{r6}", "flyctl secrets set FOO=plain{r6}",
    "echo plain{r6} | gh auth login --with-token", "htpasswd -b f me plain{r6}",
)  # fmt: skip


def _secrets(rng: random.Random, keys: list[tuple[str, ...]]) -> Iterator[Case]:
    """Each form of a secret at four keys of the schema, as a wrong value or inside one, and under two options."""
    options = [
        each for each in _options() if each[1].startswith("--") and each[0][0] not in ("diff", "rehearse", "render")
    ]
    for form in _FORMS:
        for _ in range(4):
            text, secret = _drawn(rng, form)
            serving = put(dict(GOOD), list(rng.choice(keys)), text)
            yield stack_case("secrets at every key", serving, rng.choice(_READERS), secret)
        for _ in range(2):
            text, secret = _drawn(rng, form)
            command, option = rng.choice(options)
            yield Case("secrets under every option", (*command, option, text), _nothing, secret)


def _drawn(rng: random.Random, form: str) -> tuple[str, str]:
    """A text with a secret drawn for its form, and the secret."""
    head, _, rest = form.partition("{")
    kind, _, tail = rest.partition("}")
    count = int(kind[1:])
    alphabets = {"r": _LETTERS, "s": "abcdefghijklmnopqrstuvwxyz0123456789", "h": "0123456789abcdef"}
    drawn = (
        base64.b64encode(rng.randbytes(count)).decode()
        if kind[0] == "b"
        else "".join(rng.choices(alphabets[kind[0]], k=count))
    )
    return f"{head}{drawn}{tail}", drawn


def _nothing(_folder: Path) -> None:
    """Makes no file."""
