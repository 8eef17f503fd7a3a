"""Variables from Secrets and ConfigMaps on their way to an engine: its API key, and what `env` names."""

from collections.abc import Iterator

from l4serve.config.refusals.problems import Problem
from l4serve.config.secrecy.secret_names import names_a_secret
from l4serve.engines.arguments.checking import check_env
from l4serve.engines.case import Case
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.profile import engine_profile


def api_key_problems(case: Case) -> Iterator[Problem]:
    """A release that reads no key would serve everybody."""
    name = engine_profile(case.engine.kind).api_key_env
    if case.api_key is not None and name not in case.contract.env:
        # The release does not come first: behind `apiKey:` it would be hidden as if it were the key.
        what = f"the server of {case.contract.name} asks for no key, and would serve whoever reaches it"
        yield Problem("apiKey", what, "move to a newer engine.version, or remove it")


def env_source_problems(case: Case) -> Iterator[Problem]:
    """Variables that are given twice, that the release does not read, or whose value the plan would have to know."""
    for name in case.env:
        if name in case.extra_env:
            yield Problem(f"env.{name}", "extraEnv gives this variable too", "remove one of them")
        elif _is_setting(name, case.contract):
            what = f"{name} is a setting of the engine, which the plan cannot read from a Secret or a ConfigMap"
            yield Problem(f"env.{name}", what, f"write its value in extraEnv.{name}")
    for problem in check_env(dict.fromkeys(case.env), case.contract):
        yield Problem(f"env.{problem.path}", problem.message, problem.remedy)


def _is_setting(name: str, contract: Contract) -> bool:
    """Whether the engine takes a variable for one of its options, and it is none for a secret."""
    prefix = engine_profile(contract.engine).env_prefix
    if names_a_secret(name) or name not in contract.env:
        return False
    own = prefix is not None and name.startswith(prefix)
    return own or any(flag.env == name for flag in contract.flags.values())
