"""What is printed cannot act and holds no secret, whether a string, a cell, a title or JSON; a bug says where it is."""

import io
import json
import re
from pathlib import Path

import pytest
import typer
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from l4serve.cli.shell.guarded_group import GuardedGroup
from l4serve.cli.shell.output import SafeConsole, fenced, json_text, safe_text
from tests.each_case import each

ACTING = ("\x1b[31m", "\x07", "\x00", "\x9b2J", "\u202e", "\u2028", "\r", "\x85", "\x7f")
TOKEN = "hf_" + "aB3" * 11
SECRETS = {
    TOKEN: TOKEN,
    f"x\\r{TOKEN}": TOKEN,
    f"\x1b[31m{TOKEN}": TOKEN,
    "--api-key=hunter22": "hunter22",
    "--api_key hunter22AbCdEfGhXz": "hunter22AbCdEfGhXz",
    "VLLM_API_KEY=hunter22": "hunter22",
    "https://me:hunter22@example.com/x": "hunter22",
    "https:/me:hunter22@example.com/x: no such file": "hunter22",
    "me:hunter22@registry.example.com/a:b": "hunter22",
    "Authorization: Bearer hunter22": "hunter22",
    "sk-proj-aaaaaaaaaaaaaaaa": "sk-proj-aaaaaaaaaaaaaaaa",
    "x AKIAABCDEFGHIJKLMNOP": "AKIAABCDEFGHIJKLMNOP",
    "ghp_0123456789abcdefghij": "0123456789abcdefghij",
    "Zx8Kq2Lm9Pw4Rt7Yv1Bn6Cd3": "Zx8Kq2Lm9Pw4Rt7Yv1Bn6Cd3",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----": "MIIEvQ",
}
PLAIN = (
    "docker.io/vllm/vllm-openai:v0.26.0@sha256:" + "ab" * 32,
    "Qwen/Qwen2.5-72B-Instruct-GPTQ-Int4",
    "--max-num-batched-tokens=8192",
    "--tokenizer=x/y",
    "sent as a bearer token; a note",
    "pulumi config set --secret hfToken, and revoke the token that was stored",
    "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True",
)


def test_json_writes_nothing_past_the_redactor() -> None:
    kinds = (
        Path(f"/x/{TOKEN}"),
        {TOKEN},
        frozenset({TOKEN}),
        f"{TOKEN}".encode(),
        (TOKEN,),
        ValueError(TOKEN),
        {TOKEN: {1: TOKEN}},
    )
    for value in kinds:
        for nested in (value, [value], {"a": value}):
            assert TOKEN not in json_text(nested), type(value)
    assert json.loads(json_text({"b": {3, 1, 2}, "a": Path("/x"), "c": None, "d": 1.5, "e": True})) == {
        "b": [1, 2, 3], "a": "/x", "c": None, "d": 1.5, "e": True
    }  # fmt: skip


def shown(renderable: object) -> str:
    out = io.StringIO()
    SafeConsole(file=out, width=200).print(renderable)
    return out.getvalue()


@each(ACTING, ascii)
def test_nothing_acts(character: str) -> None:
    value = f"a{character}b"
    table = Table(title=value)
    table.add_column(value)
    table.add_row(value, Text(value))
    for text in (shown(value), shown(Text(value, style="bold")), shown(table), safe_text(value)):
        assert character not in text
    assert character not in json_text({value: [value]})
    assert json.loads(json_text({value: [value]})) == {value: [value]}


def test_no_markup_emoji_or_workflow_command_is_live() -> None:
    for text in ("[/INST] [bold]x[/bold] [link=http://example.com]y[/link]", ":smile:"):
        assert shown(text).strip() == text
    for line in ("::error ::y", "  ::add-mask::x", "a ##[command]b", "##vso[task.setvariable variable=a]b"):
        assert not any(part.lstrip().startswith("::") for part in shown(line).splitlines())
        for said in (shown(line), json_text(line)):
            assert not re.search(r"##\w*\[", said)
        assert json.loads(json_text(line)) == line


def test_json_is_ascii_that_every_reader_takes() -> None:
    value = {"a": [1, 2.5, None, True, {}, [], "\U0001f600 \u00e9"], "b": {"c": Path("x")}}
    assert json_text(value).isascii()
    assert json.loads(json_text(value)) == {**value, "b": {"c": "x"}}
    # Half of a pair of surrogates is no character: no UTF-8 has it, and strict readers refuse its escape.
    assert json_text("a\ud800b") == '"a?b"'


@each(SECRETS, str)
def test_secrets_are_hidden(text: str) -> None:
    for printed in (shown(text), shown(Text(f"value: {text}")), json_text({text: [text]})):
        assert SECRETS[text] not in printed


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays(text: str) -> None:
    assert shown(text).strip() == text


def test_nothing_closes_a_code_block() -> None:
    block = fenced("a\n````\n```\nb").splitlines()
    assert block[0] == "`````text"
    assert block.index("`````") == len(block) - 1


broken = typer.Typer(cls=GuardedGroup, pretty_exceptions_enable=False)


@broken.callback()
def options(verbose: bool = typer.Option(False, "-v")) -> None: ...


@broken.command()
def fail() -> None:
    raise KeyError(f"no {TOKEN}\n::error ::x")


@broken.command()
def leave() -> None:
    raise typer.Exit(1)


def test_a_bug_is_named_and_shows_no_trace() -> None:
    result = CliRunner().invoke(broken, ["fail"])
    assert result.exit_code == 2
    assert "this is a bug" in result.stderr
    assert "Traceback" not in result.output
    assert TOKEN not in result.output
    assert not any(line.startswith("::") for line in result.output.splitlines())


def test_a_bug_shows_its_trace_when_asked_and_exits_pass() -> None:
    assert isinstance(CliRunner().invoke(broken, ["-v", "fail"]).exception, KeyError)
    assert CliRunner().invoke(broken, ["leave"]).exit_code == 1
    assert CliRunner().invoke(broken, ["nothing"]).exit_code == 2


@pytest.mark.parametrize("arguments", [["leave", "X"], ["X"], ["--X"], ["leave", "--X=1"]], ids=" ".join)
@pytest.mark.parametrize("acting", [*ACTING, "\n::error ::y"], ids=ascii)
def test_arguments_that_are_repeated_cannot_act_and_show_no_secret(arguments: list[str], acting: str) -> None:
    given = [argument.replace("X", f"x{acting}.{TOKEN}") for argument in arguments]
    result = CliRunner().invoke(broken, given)
    assert result.exit_code == 2
    assert acting not in result.output
    assert TOKEN not in result.output
