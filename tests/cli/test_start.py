"""What holds for every command: version, -h, -q, -v, NO_COLOR, Ctrl-C in one line."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from pydantic_core import SchemaError, SchemaValidator, core_schema

from l4serve.cli.shell.guarded_group import GuardedGroup
from l4serve.cli.shell.interrupts import is_interrupt
from l4serve.cli.shell.lazy_group import COMMANDS
from l4serve.version import VERSION
from tests.cli.terminal import ROOT, run
from tests.each_case import each


def test_the_version_is_that_of_the_project() -> None:
    assert run("--version").stdout == f"l4serve {VERSION}\n"


@each(["", *COMMANDS], str)
def test_dash_h_is_help(command: str) -> None:
    args = [command] if command else []
    short = run(*args, "-h")
    assert (short.exit_code, short.stdout) == (0, run(*args, "--help").stdout)


def test_the_list_of_commands_cuts_no_sentence() -> None:
    text = run("--help").stdout
    assert "..." not in text.partition("\n")[2]
    assert all(command.help.split()[-1] in text for command in COMMANDS.values())


@pytest.mark.parametrize("args", [("-q", "plan", "-s", "staging"), ("plan", "-s", "staging", "-q")], ids=str)
def test_quiet_leaves_out_the_notes(args: tuple[str, ...]) -> None:
    assert run("plan", "-s", "staging").stderr
    assert run(*args).stderr == ""
    assert run(*args).stdout == run("plan", "-s", "staging").stdout


def test_the_trace_is_shown_where_verbose_stands_behind_the_command() -> None:
    assert run("plan", "-s", "dev", "-v").exit_code == 0


@pytest.mark.parametrize(
    "args",
    [("plan", "-s", "staging"), ("fit", "--model", "google/gemma-7b"), ("check", "-s", "dev"), ("shapes",)],
    ids=str,
)
def test_no_color_leaves_no_escape(args: tuple[str, ...]) -> None:
    plain = run(*args, NO_COLOR="1", FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b" not in plain.output
    coloured = run(*args, NO_COLOR="", FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b[" in coloured.output


stopped = typer.Typer(cls=GuardedGroup)


@stopped.command()
def wait() -> None:
    """Is stopped by the user."""
    raise KeyboardInterrupt


@stopped.command()
def other() -> None:
    """Makes a group of the two."""


def test_ctrl_c_is_one_line() -> None:
    from typer.testing import CliRunner

    result = CliRunner().invoke(stopped, ["wait"])
    assert result.exit_code == 130
    assert result.stderr == "stopped by Ctrl-C\n"


@pytest.mark.parametrize("method", ["make_context", "invoke"])
def test_ctrl_c_is_told_of_while_arguments_are_read(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.core import TyperGroup
    from typer.testing import CliRunner

    def stop(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TyperGroup, method, stop)
    result = CliRunner().invoke(stopped, ["wait"])
    assert (result.exit_code, result.stderr) == (130, "stopped by Ctrl-C\n")


def test_ctrl_c_at_a_prompt_is_told_of_as_anywhere(tmp_path: Path) -> None:
    """On a terminal of its own, where the prompt waits."""
    import pty

    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    main, side = pty.openpty()
    command = [sys.executable, "-c", "from l4serve.cli.start import main; main()", "init"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=side, stdout=side, stderr=side,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        told = b""
        while b"[dev]" not in told:
            told += os.read(main, 1000)
        # A signal between the prompt and the wait for an answer is seen with the next one.
        while b"Ctrl-C" not in told:
            while not select.select([main], [], [], 3)[0]:
                process.send_signal(signal.SIGINT)
            told += os.read(main, 1000)
        assert process.wait(60) == 130
    finally:
        process.kill()
        os.close(main)
        os.close(side)
    assert told.decode().rstrip().endswith("stopped by Ctrl-C") and "Aborted" not in told.decode()


@pytest.mark.parametrize("when", ["import", pytest.param("work", marks=pytest.mark.slow)])
def test_ctrl_c_at_any_time_leaves_no_traceback(when: str) -> None:
    """A process that announces how far it is, stopped there."""
    hook = {
        "import": "import builtins; own = builtins.__import__\n"
        "def slow(name, *a, **k):\n"
        "    if name.endswith('lazy_group'): print('HERE', flush=True); import time; time.sleep(30)\n"
        "    return own(name, *a, **k)\n"
        "builtins.__import__ = slow\n",
        "work": "import l4serve.config.stack_file as f\n"
        "def slow(path): print('HERE', flush=True); import time; time.sleep(30)\n"
        "f.read_stack_file = slow\n",
    }[when]
    code = hook + "from l4serve.cli.start import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "plan", "-s", "dev"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout
    try:
        assert process.stdout.readline() == "HERE\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert told == "stopped by Ctrl-C\n"


def test_there_is_one_place_for_the_version() -> None:
    holders = [
        path
        for path in (ROOT / "pyproject.toml", ROOT / "Pulumi.yaml", *sorted((ROOT / "l4serve").glob("*.py")))
        if f'"{VERSION}"' in Path(path).read_text("utf-8")
    ]
    assert holders == [ROOT / "l4serve" / "version.py"]


@each(COMMANDS, str)
def test_help_cuts_no_name_at_forty_columns(command: str) -> None:
    assert "…" not in run(command, "--help", COLUMNS="40").stdout
    wide = set(re.findall(r"--[a-z-]+[a-z]", run(command, "--help", COLUMNS="200").stdout))
    assert wide <= set(re.findall(r"--[a-z-]+[a-z]", run(command, "--help", COLUMNS="40").stdout))


def test_the_list_of_commands_says_of_doctor_what_it_does() -> None:
    assert COMMANDS["doctor"][1].startswith("Say what stands in a stack's way")


def test_a_stop_that_compiled_code_turns_into_an_error_or_loses_is_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """pydantic's core compiles patterns by Python's own `re` while it builds a validator."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(re, "compile", stopped)
        with pytest.raises(SchemaError) as wrapped:
            SchemaValidator(core_schema.str_schema(pattern="a(?=b)", regex_engine="python-re"))
    assert is_interrupt(wrapped.value)
    assert not is_interrupt(ValueError("KeyboardInterrupt"))
    code = (
        "from l4serve.cli.shell.entry_guard import run_guarded\n"
        "class Lost:\n"
        "    def __del__(self): raise KeyboardInterrupt\n"
        "def run():\n"
        "    Lost()\n"
        "    import time; time.sleep(30); print('went on')\n"
        "run_guarded(run)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=20,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped by Ctrl-C\n")
