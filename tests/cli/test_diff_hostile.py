"""l4serve diff on secrets and on files that a stranger wrote: nothing leaks, nothing acts, nothing else changes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.report.comment import LIMIT
from tests import factories
from tests.report.inert import assert_inert

FORMATS: tuple[list[str], ...] = ([], ["--json"], ["--markdown"])
HUB = "hf_" + "AbCdEfGh" * 4
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
RANDOM = "Zx9kQ2mW8vLp4TyR7bNc3JdF6hSg1AeU"


def qwen(**fields: Any) -> dict[str, Any]:
    return factories.serving({"qwen": factories.workload(**fields)})


def engine(**settings: Any) -> dict[str, Any]:
    return qwen(engine=settings)


def of_model(**model: Any) -> dict[str, Any]:
    return factories.serving({"qwen": {**factories.workload(), "model": model}})


def on(cluster: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return factories.serving(cluster={**factories.EXISTING, **cluster}, **fields)


SECRETS: dict[str, tuple[str, dict[str, Any]]] = {
    "Hub token in a variable": (HUB, qwen(extraEnv={"A": HUB})),
    "Hub token under its name": (HUB, qwen(extraEnv={"HF_TOKEN": HUB})),
    "key in one argument": (RANDOM, qwen(extraArgs=[f"--api-key={RANDOM}"])),
    "key in two arguments": (RANDOM, qwen(extraArgs=["--api-key", RANDOM])),
    "OpenAI's form": ("sk-abcdefghij0123456789abcd", qwen(extraEnv={"A": "sk-abcdefghij0123456789abcd"})),
    "variable for a key": (RANDOM, qwen(extraEnv={"VLLM_API_KEY": RANDOM})),
    "variable for a password": ("correct-horse", qwen(extraEnv={"DB_PASSWORD": "correct-horse"})),
    "variable with a long hex": (HEX, qwen(extraEnv={"SESSION_TOKEN": HEX})),
    "GitHub token": ("ghp_" + "a1B2c3D4" * 4, qwen(extraEnv={"A": "ghp_" + "a1B2c3D4" * 4})),
    "AWS key": ("AKIAIOSFODNN7EXAMPLE", qwen(extraEnv={"A": "AKIAIOSFODNN7EXAMPLE"})),
    "Google key": ("AIza" + "SyA1b2C3d4" * 4, qwen(extraEnv={"A": "AIza" + "SyA1b2C3d4" * 4})),
    "password of a proxy": ("hunter2secret", qwen(extraEnv={"HTTP_PROXY": "http://bob:hunter2secret@proxy:3128"})),
    "token in a label": (HUB, qwen(labels={"team": HUB})),
    "token in a chat template": (HUB, engine(chatTemplate=f"{{{{ '{HUB}' }}}}")),
    "token in a reason": (HUB, qwen(allow=[{"rule": "vllm-eager", "reason": f"because {HUB}"}])),
    "token as a revision": (HUB, of_model(id=factories.SMALL, revision=HUB)),
    "token in a served name": (HUB, engine(servedModelName=[HUB])),
    "token in an image": (HUB, engine(image=f"docker.io/{HUB.lower()}:{HUB}")),
    "kubeconfig path": ("/home/alice/.kube/payroll", on({"kubeconfig": "/home/alice/.kube/payroll"})),
    "kubeconfig context": ("payroll-admin-context", on({"context": "payroll-admin-context"})),
    "bearer token": ("mF_9.B5f-4.1JqM", qwen(extraEnv={"A": "Authorization: Bearer mF_9.B5f-4.1JqM"})),
    "private key": ("MIIEpAIBAAKCAQEA", qwen(extraEnv={"A": "-----BEGIN RSA PRIVATE KEY-----MIIEpAIBAAKCAQEA"})),
}  # fmt: skip


def every_format(before: Path, after: Path, folder: Path) -> str:
    """All that every format says of two files, and all that is said on the way."""
    page = folder / "page.html"
    said = ""
    for arguments in (*FORMATS, ["--html", str(page)]):
        done = CliRunner().invoke(app, ["diff", "--from", str(before), "--to", str(after), *arguments])
        assert done.exit_code in (0, 1, 2), done.output
        assert "Traceback" not in done.output
        said += done.output
    return said + (page.read_text("utf-8") if page.exists() else "")


def test_there_are_enough_secrets() -> None:
    assert len(SECRETS) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", SECRETS)
def test_a_planted_secret_is_in_no_format(name: str, tmp_path: Path) -> None:
    secret, serving = SECRETS[name]
    clean = factories.serving(cluster=serving["cluster"] if "nodePools" in serving else factories.ZONAL)
    if serving["cluster"]["mode"] == "existing":
        clean = factories.serving(cluster=factories.EXISTING)
    sides = factories.write_stack(tmp_path, serving, name="a"), factories.write_stack(tmp_path, clean, name="b")
    said = every_format(sides[0], sides[1], tmp_path) + every_format(sides[1], sides[0], tmp_path)
    assert secret not in said
    assert secret.lower() not in said.lower()


def test_a_token_in_plain_text_is_told_of_and_not_shown(tmp_path: Path) -> None:
    path = factories.write_stack(tmp_path, factories.serving(), name="a")
    other = tmp_path / "Pulumi.b.yaml"
    other.write_text(path.read_text("utf-8") + f"  gke-llm-serving:hfToken: {HUB}\n", encoding="utf-8")
    said = every_format(path, other, tmp_path)
    assert "in plain text" in said
    assert HUB not in said


MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) @everyone `@me #12 a/b#3 GH-4 "
MARKUP += "`</details>"


def text_of(serving: dict[str, Any]) -> str:
    return yaml.safe_dump({"config": {"gcp:project": "my-project", "gke-llm-serving:serving": serving}})


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
FILES: dict[str, str] = {
    "alias bomb": BOMB,
    "5 MB": text_of(factories.serving()) + "# " + "x" * 5_000_000,
    "recipe outside": text_of(factories.serving({"qwen": {"recipe": "../../etc/passwd"}})),
    "config outside": text_of(of_model(id="a/b", config="../../../../etc/passwd")),
    "absolute config": text_of(of_model(id="a/b", config="/etc/passwd")),
    "markup in an argument": text_of(qwen(extraArgs=[f"--uvicorn-log-level={MARKUP}"])),
    "markup in a variable": text_of(qwen(extraEnv={"A": MARKUP})),
    "markup in a reason": text_of(qwen(allow=[{"rule": "vllm-eager", "reason": MARKUP}])),
    "markup in a name": text_of(factories.serving({MARKUP: factories.workload()})),
    "markup in a pool": text_of(factories.serving(pools={MARKUP: dict(factories.POOL)})),
    "markup in a template": text_of(engine(chatTemplate=MARKUP)),
    "link in a variable": text_of(qwen(extraEnv={"A": "https://evil.example/x www.evil.example"})),
    "control characters": text_of(qwen(extraEnv={"A": "a\x1b[31mred\u202eevil"})),
    "runner command": text_of(qwen(extraEnv={"A": "::set-output name=x::y"})),
    "huge whole number": text_of(qwen(replicas=0)).replace("replicas: 0", "replicas: " + "9" * 5000),
    "huge fraction": text_of(engine(maxModelLen=0)).replace("maxModelLen: 0", "maxModelLen: 1e308"),
    "infinity": text_of(qwen(replicas=0)).replace("replicas: 0", "replicas: .inf"),
    "deep": "a: " + "[" * 5000,
    "no mapping": "- 1\n",
    "binary": "\x00\x01\x02",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_inert(name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    good = factories.write_stack(home, factories.serving(), name="a")
    hostile = home / "Pulumi.b.yaml"
    hostile.write_text(FILES[name], encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = every_format(hostile, good, tmp_path) + every_format(good, hostile, tmp_path)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "root:" not in said
    assert "<script" not in page and "<img" not in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", said)
    left = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "page.html"}
    assert left == before


@pytest.mark.parametrize("name", [name for name in FILES if "markup" in name or "link" in name])
def test_a_hostile_text_acts_in_no_comment(name: str, tmp_path: Path) -> None:
    good = factories.write_stack(tmp_path, factories.serving(), name="a")
    hostile = tmp_path / "Pulumi.b.yaml"
    hostile.write_text(FILES[name], encoding="utf-8")
    for before, after in ((good, hostile), (hostile, good)):
        text = CliRunner().invoke(app, ["diff", "--from", str(before), "--to", str(after), "--markdown"]).stdout
        assert_inert(text)
        assert len(text) < LIMIT


def test_the_json_of_a_hostile_file_is_json(tmp_path: Path) -> None:
    good = factories.write_stack(tmp_path, factories.serving(), name="a")
    hostile = tmp_path / "Pulumi.b.yaml"
    hostile.write_text(FILES["markup in a reason"], encoding="utf-8")
    done = CliRunner().invoke(app, ["diff", "--from", str(good), "--to", str(hostile), "--json"])
    (danger,) = json.loads(done.stdout)["stacks"][0]["danger"]
    assert MARKUP in danger["text"]
