"""Documents and pages for the tests of the report."""

from typing import Any

from l4serve.planning.difference.difference_json import difference_json
from l4serve.report.page import difference_page
from tests.planning.difference.scenarios import SCENARIOS, difference

HOSTILE = "</style></title><script>document.title='it ran'</script><img src=x onerror=\"document.title='it ran'\">"


def document_of(name: str) -> dict[str, Any]:
    """The JSON document of a scenario."""
    return difference_json("the base", [difference(*SCENARIOS[name].sides())])


def hostile(value: Any) -> Any:
    """A document in which every text, keys included where they are free, holds markup that would act."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list):
        return [hostile(each) for each in value]
    if isinstance(value, dict):
        return {key: each if key in ("verdict", "change", "lands") else hostile(each) for key, each in value.items()}
    return value


def hostile_page() -> str:
    """A page whose every text is hostile."""
    return difference_page(hostile(document_of("other engine")))
