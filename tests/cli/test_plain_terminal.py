"""On a terminal, with NO_COLOR or TERM=dumb, nothing moves the cursor or colours; help keeps its words."""

import os
import pty
import subprocess
import sys

import pytest

from l4serve.cli.shell.lazy_group import COMMANDS
from tests.cli.terminal import ROOT, run
from tests.each_case import each

VERIFY = (
    "from l4serve.cli.start import main; import sys\n"
    "sys.argv[1:] = 'verify --base-url http://127.0.0.1:1 --engine vllm --engine-version 0.26.0 --timeout 1'.split()\n"
    "main()"
)
PROGRESS = (
    "from l4serve.cli.answers.sandbox_view import shown_progress\n"
    "with shown_progress() as update:\n"
    "    update('pods', 1, 2)\n"
    "    update('pods', 2, 2)"
)
HOOK = "import sys; sys.argv[1:] = ['-h']; from l4serve.cli.hook import main; main()"


def on_a_terminal(code: str, **env: str) -> str:
    """What a program writes on a terminal."""
    main, side = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    whole = {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **env}
    process = subprocess.Popen([sys.executable, "-c", code], stdin=side, stdout=side, stderr=side, env=whole)
    os.close(side)
    told = b""
    try:
        while chunk := os.read(main, 4096):
            told += chunk
    except OSError:  # the other end is closed
        pass
    finally:
        process.kill()
        process.wait()
        os.close(main)
    return told.decode()


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
@pytest.mark.parametrize("code", [VERIFY, PROGRESS, HOOK], ids=["verify", "progress", "hook"])
def test_a_plain_terminal_gets_no_escape(code: str, env: dict[str, str]) -> None:
    told = on_a_terminal(code, **env)
    assert told.strip()
    assert "\x1b" not in told


LONG = (
    "from l4serve.cli.shell.output import tell;"
    "tell('bad     roles: ' + 'word ' * 40 + 'https://example.com/' + 'a' * 90)"
)


def test_prose_is_broken_at_blanks_on_a_terminal_and_whole_in_a_pipe() -> None:
    lines = on_a_terminal(LONG, COLUMNS="60").splitlines()
    assert len(lines) > 4 and all(len(line) <= 60 or len(line.split()) == 1 for line in lines)
    piped = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, env=os.environ, cwd=ROOT)
    assert piped.stdout.count("\n") == 1


@pytest.mark.parametrize("columns", ["0", "00", "\u00b2", "9" * 5000, "-1", "x"])
def test_a_width_that_no_terminal_has_is_that_of_a_pipe(columns: str) -> None:
    result = run("plan", "-s", "dev", COLUMNS=columns)
    assert result.exit_code == 0, result.output
    assert result.stdout == run("plan", "-s", "dev", COLUMNS="80").stdout


def test_another_terminal_gets_its_bar() -> None:
    assert "\x1b[" in on_a_terminal(PROGRESS)


@each(["", *COMMANDS], str)
def test_help_fits_and_breaks_no_word(command: str) -> None:
    args = [command] if command else []
    wide = run(*args, "-h", COLUMNS="1000").stdout
    for columns in (40, 60, 80):
        text = run(*args, "-h", COLUMNS=str(columns)).stdout
        # A word that is longer than the terminal stands alone on its line.
        assert all(len(line) <= columns or len(line.split()) == 1 for line in text.splitlines())
        assert text.split() == wide.split()
