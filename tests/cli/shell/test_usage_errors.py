"""Arguments that cannot be parsed: what is wrong, a remedy, exit 2, and neither a usage box nor a trace."""

import ast
import re
from typing import Any

import pytest
from typer.main import get_command

from l4serve.cli.app import app
from l4serve.cli.shell.lazy_group import COMMANDS, load_command
from tests.cli.terminal import ROOT, run

USAGES = {
    "plan --stak dev": ("l4serve plan has no option --stak", "did you mean --stack?"),
    "plan -x": ("l4serve plan has no option -x", "`l4serve plan -h` lists its options"),
    "bench --bogus 1": ("l4serve bench has no option --bogus", "`l4serve bench -h` lists its options"),
    "--vers": ("l4serve has no option --vers", "did you mean --version?"),
    "plna": ("there is no command 'plna'", "did you mean plan?"),
    "zzzzz": ("there is no command 'zzzzz'", "`l4serve -h` lists the commands"),
    "-q": ("l4serve needs a command", "`l4serve -h` lists the commands"),
    "contract shw": ("there is no command 'shw'", "did you mean show?"),
    "contract zzz": ("there is no command 'zzz'", "give one of list, rules, show, diff"),
    "contract show vllm-0.26.0 --flg x": ("l4serve contract show has no option --flg", "did you mean --flag?"),
    "plan dev": ("l4serve plan takes no argument 'dev'", "did you mean -s dev?"),
    "plan my.yaml": ("l4serve plan takes no argument 'my.yaml'", "did you mean -f my.yaml?"),
    "doctor -s me/proj/dev": ("'me/proj/dev' is a stack by its owner, and its file here has none", "give dev"),
    "plan -s me/dev": ("'me/dev' is a stack by its owner, and its file here has none", "give dev"),
    "plan x y": ("l4serve plan takes no argument 'x y'", "`l4serve plan -h` lists its options"),
    "plan --json=yes": ("--json takes no value", "write only --json"),
    "plan -s": ("-s needs a value", "write it as -s STACK: Stack, as in Pulumi.STACK.yaml."),
    "contract show vllm-0.26.0 --flag": ("--flag needs a value", "write it as --flag FLAG: Only flags whose name has"),
    "fit": ("l4serve fit needs the option --model", "add --model MODEL: Hub id, or path of a config.json."),
    "explain": ("l4serve explain needs the argument KEY", "add KEY: Key without the names"),
    "contract diff vllm-0.26.0": ("l4serve contract diff needs the argument AFTER", "add AFTER: Release, such as"),
    "fit --model x --max-model-len 8k": ("--max-model-len: '8k' is not a whole number", "write it as 8192"),
    "fit --model x --max-model-len many": ("--max-model-len: 'many' is not a whole number", "give 1 to 10000000"),
    "shapes --gpus 99": ("--gpus: '99' is above 16, the most", "give 1 to 16"),
    "advise --rps nan": ("--rps: 'nan' is not a number", "give 1e-06 to 1000000"),
    "verify --timeout soon": ("--timeout: 'soon' is not a number", "give 0.1 to 86400"),
    "advise --quality ful": ("--quality: 'ful' is none of: any, 8bit, full", "did you mean full?"),
    "advise --quality zzz": ("--quality: 'zzz' is none of: any, 8bit, full", "give one of any, 8bit, full"),
}


@pytest.mark.parametrize("line", USAGES)
def test_it_says_what_is_wrong_and_what_to_write(line: str) -> None:
    result = run(*line.split())
    wrong, mend = USAGES[line]
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {wrong}\n    fix: {mend}"), result.stderr
    assert result.stderr.count("\n") == 2
    assert not result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_asks_for_its_value(name: str) -> None:
    loaded = load_command(name, COMMANDS[name])
    for command in getattr(loaded, "commands", {"": loaded}).values():
        where = [name] if command is loaded else [name, command.name]
        values = [option for option in command.params if option.param_type_name == "option" and not option.is_flag]
        for spelling in [spelling for option in values for spelling in option.opts]:
            told = run(*where, spelling).stderr
            assert told.startswith(f"error: {spelling} needs a value\n    fix: write it as {spelling} "), told
        told = run(*where, "--no-such-option").stderr
        assert f"l4serve {' '.join(where)} has no option --no-such-option\n    fix: " in told


def test_lists_of_commands_below_a_command_cut_no_sentence() -> None:
    text = " ".join(run("contract", "--help").stdout.split())
    assert "`allow` overrides one by its id." in text
    assert "..." not in text.partition("ARGS]...")[2]


def test_every_refusal_of_the_commands_holds_a_remedy() -> None:
    """A message of ours has it behind its last semicolon or its `fix:`; one of another room is held there."""
    mute = []
    for path in sorted((ROOT / "l4serve" / "cli").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "refuse_input"):
                continue
            said = ast.unparse(call.args[0])
            words = [part.value for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant)]
            ours = any(re.search("[a-z]", str(word)) for word in words)
            if ours and not re.search(r"; |fix: |REMEDY|remedy", said):
                mute.append(f"{path.name}:{call.lineno}: {said}")
    assert mute == []


def test_every_number_has_a_least_and_a_most() -> None:
    """What has none is infinite to somebody: --budget-usd-hour=1e400."""
    free = {"--gpu-memory-utilization"}  # which the config of an engine bounds
    waiting: list[tuple[str, Any]] = [("l4serve", get_command(app))]
    seen = 0
    while waiting:
        name, command = waiting.pop()
        context = command.make_context(name, ["-"], resilient_parsing=True)
        inner = command.list_commands(context) if hasattr(command, "list_commands") else []
        waiting += [(f"{name} {one}", command.get_command(context, one)) for one in inner]
        for param in command.params:
            if param.type_descriptor.annotation in (int, float) and not free & {*param.opts}:
                seen += 1
                assert None not in (param.min, param.max), (name, param.opts)
    assert seen > 30
