"""What requests a workload is expected to get, for estimates of its speed."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from l4serve.config.keys.base import ConfigModel, no_boolean

Tokens = Annotated[int, BeforeValidator(no_boolean), Field(ge=1, le=10_000_000)]


class ExpectedLoad(ConfigModel):
    """Lengths of the usual request. Only estimates read them: the engine serves others too."""

    input_tokens: Tokens = 512
    """Tokens of a prompt, its system part included."""
    output_tokens: Tokens = 256
    """Tokens of an answer, thinking included."""
