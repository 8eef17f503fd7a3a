"""What an editor that knows the stack file's JSON Schema marks."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from l4serve.cli.commands.schema_command import stack_file_schema


@cache
def editor() -> Draft202012Validator:
    """The schema, made once for all tests of a worker."""
    return Draft202012Validator(stack_file_schema())


def definitions() -> Any:
    """The objects of the schema by their names."""
    return stack_file_schema()["$defs"]


def marked(document: Any) -> list[str]:
    """What an editor says of a stack file."""
    return [error.message for error in editor().iter_errors(document)]
