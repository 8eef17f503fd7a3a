"""The JSON Schema of config models, with the texts below their fields: read only where a schema is asked for.

Pydantic can read them when a class is made, which costs every command the parsing of its own source.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue


class DescribedSchema(GenerateJsonSchema):
    """Writes the text below a field as its description."""

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        """The schema of one model."""
        written = super().model_schema(schema)
        model = schema["cls"]
        texts = {info.alias or name: field_texts(model).get(name) for name, info in model.model_fields.items()}
        for key, field in written.get("properties", {}).items():
            if text := texts.get(key):
                field.setdefault("description", text)
        return written


@cache
def field_texts(model: type[BaseModel]) -> Mapping[str, str]:
    """The string below each field of a model and of the models that it extends, by the field's name."""
    texts: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel:
            texts |= _own_texts(parent)
    return texts


def _own_texts(model: type[BaseModel]) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef), "the source of a class is one class"
    texts = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                texts[name] = inspect.cleandoc(text)
    return texts
