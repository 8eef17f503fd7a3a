"""What extra arguments say that rules look at: what a model is served for, and options without a field."""

from collections.abc import Mapping

from l4serve.config.workload import Engine
from l4serve.engines.checking import read_options
from l4serve.engines.contract import Contract

_FIELDS = ("runner", "convert", "task")
_OPTIONS = {
    "--max-num-partial-prefills": "arg.maxNumPartialPrefills",
    "--max-long-partial-prefills": "arg.maxLongPartialPrefills",
    "--logits-processor-pattern": "arg.logitsProcessorPattern",
    "--enable-expert-parallel": "arg.enableExpertParallel",
    "--async-scheduling": "arg.asyncScheduling",
}
"""Options that no typed field sets, each with the fact that holds its value."""
_NOTHING: Mapping[str, None] = dict.fromkeys(_OPTIONS.values())


def asked_words(engine: Engine, extra_args: tuple[str, ...], contract: Contract) -> Mapping[str, str | None]:
    """The words of runner, convert and task, and the options' values; None where the config says nothing."""
    named: dict[str, str | None] = {**_NOTHING, **{field: getattr(engine, field, None) for field in _FIELDS}}
    for option in read_options(extra_args, contract) if extra_args else ():
        flag = option.flag.name if option.flag else ""
        field = _OPTIONS.get(flag, flag.removeprefix("--"))
        if field not in named:
            continue
        if option.values:
            named[field] = option.values[0]
        elif option.flag and not option.flag.takes_value:
            named[field] = "false" if option.says_no else "true"
    return named
