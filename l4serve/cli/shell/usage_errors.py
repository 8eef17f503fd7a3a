"""What the command line says of arguments that it cannot parse: what is wrong, and a `fix:` line that works.

Typer exports few of the exceptions of its parser, so that they are told apart by the names of their classes.
"""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from l4serve.cli.shell.messages import refuse_input
from l4serve.config.refusals.problem_words import message, remedy
from l4serve.config.refusals.problems import REMEDY
from l4serve.config.words.spelling import did_you_mean, one_of

_COMMAND = re.compile(r"No such command '(.*?)'\. ?", re.DOTALL)
_EXTRA = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)$", re.DOTALL)
_CHOICES = re.compile(r"(.*?) is not one of (.*)", re.DOTALL)
_MOST_LISTED = 6


def is_usage_error(error: Exception) -> bool:
    """Whether the parser of arguments raised it, and not to print a help."""
    return hasattr(error, "format_message") and type(error).__name__ != "NoArgsIsHelpError"


def refuse_usage(error: Any, root: Any) -> Exception:
    """Prints an error of usage with its remedy, and returns the exit to raise.

    `root` is the context of the whole command line, for errors that name no context of their own.
    """
    context = getattr(error, "ctx", None) or root
    said, mend = _told(error, context)
    return refuse_input(f"{said}{REMEDY}{mend}")


def _told(error: Any, context: Any) -> tuple[str, str]:
    """What is wrong, and what to write."""
    kind, where = type(error).__name__, _called(context)
    if found := _COMMAND.match(error.message):
        known = context.command.list_commands(context)
        return f"there is no command {found[1]!r}", did_you_mean(found[1], known) or _listing(known, where)
    if found := _EXTRA.match(error.message):
        return f"{where} takes no argument {found[1]!r}", _option_for(found[1], context) or _help(where)
    if kind == "NoSuchOption":
        known = sorted({name for option in _options(context) for name in (*option.opts, *option.secondary_opts)})
        near = did_you_mean(error.option_name, known) if error.option_name.startswith("--") else ""
        return f"{where} has no option {error.option_name}", near or _help(where)
    if kind == "BadOptionUsage":
        return _misused(error, context)
    if kind == "MissingParameter" and error.param is not None:
        kind = "argument" if error.param.param_type_name == "argument" else "option"
        return f"{where} needs the {kind} {_name(error.param)}", f"add {_example(error.param)}"
    if error.message == "Missing command.":
        return f"{where} needs a command", _listing(context.command.list_commands(context), where)
    return _wrong_value(error, where)


def _misused(error: Any, context: Any) -> tuple[str, str]:
    """An option without the value that it takes, or a flag with one."""
    name = error.option_name
    if "does not take a value" in error.message:
        return f"{name} takes no value", f"write only {name}"
    option = next((option for option in _options(context) if name in option.opts), None)
    example = _example(option, name) if option else f"{name} VALUE"
    return f"{name} needs a value", f"write it as {example}"


def _wrong_value(error: Any, where: str) -> tuple[str, str]:
    """A value of another type, out of bounds or none of the choices; in the words that a stack file's values get."""
    param = getattr(error, "param", None)
    hint = f"{_name(param)}: " if param is not None else ""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return f"{hint}{error.message.rstrip('.')}", _help(where)
    if choices := _CHOICES.fullmatch(cause.errors()[0]["msg"].removeprefix("Value error, ").rstrip(".")):
        known = re.findall(r"'([^']*)'", choices[2])
        return f"{hint}{choices[1]} is none of: {', '.join(known)}", one_of(choices[1].strip("'"), known)
    detail: ErrorDetails = {**cause.errors()[0], "loc": (param.name if param is not None else "value",)}
    mend = remedy(detail, (), None) or _within(param)
    if str(detail["input"]).strip().lstrip("+-").lower() == "nan":
        return f"{hint}{detail['input']!r} is not a number", mend
    return f"{hint}{message(detail)}", mend or (f"write it as {_example(param)}" if param else _help(where))


def _within(param: Any) -> str:
    """The numbers that an option takes; empty where it states no bound."""
    low, high = getattr(param, "min", None), getattr(param, "max", None)
    if low is not None and high is not None:
        return f"give {_number(low)} to {_number(high)}"
    if low is not None:
        return f"give {_number(low)} or more"
    return "" if high is None else f"give {_number(high)} or less"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _option_for(value: str, context: Any) -> str:
    """The option that a bare argument was perhaps meant for: a stack's name or a stack file."""
    from l4serve.cli.project import project_root, stack_names

    options = {name for option in _options(context) for name in option.opts}
    if "--stack" in options and value in stack_names(project_root()):
        return f"did you mean -s {value}?"
    return f"did you mean -f {value}?" if "--file" in options and value.endswith((".yaml", ".yml")) else ""


def _options(context: Any) -> Iterator[Any]:
    """The options of a command; of a group whose command is being parsed, those of that command."""
    yield from (param for param in context.command.get_params(context) if param.param_type_name == "option")
    if name := getattr(context, "invoked_subcommand", None):
        called = context.command.get_command(context, name)
        inner = [called] if not hasattr(called, "commands") else called.commands.values()
        for command in inner:
            yield from (param for param in command.params if param.param_type_name == "option")


def _name(param: Any) -> str:
    """An option by its long name, an argument in capitals."""
    return _longest(param) if param.param_type_name == "option" else param.name.upper().replace("_", "-")


def _longest(option: Any) -> str:
    return str(max(option.opts, key=len))


def _example(param: Any, name: str | None = None) -> str:
    """How an option or argument is written, and what its help says of it."""
    value = _longest(param).lstrip("-").upper()
    written = value if param.param_type_name == "argument" else f"{name or _longest(param)} {value}"
    return f"{written}: {param.help}" if param.help else written


def _listing(known: list[str], where: str) -> str:
    return f"give one of {', '.join(known)}" if len(known) <= _MOST_LISTED else _help(where, "the commands")


def _help(where: str, what: str = "its options") -> str:
    return f"`{where} -h` lists {what}"


def _called(context: Any) -> str:
    """The command as a user calls it."""
    program = context.find_root().command.name or "l4serve"
    if name := getattr(context, "invoked_subcommand", None):
        return f"{program} {name}" if context.parent is None else _called(context.parent)
    names = []
    while context.parent is not None:
        names.append(context.info_name)
        context = context.parent
    return " ".join((program, *reversed(names)))
