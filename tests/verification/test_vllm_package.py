"""The parser of a real vLLM takes what is planned for its version. On demand: it needs the extra vllm.

pip install -r requirements/vllm.txt pytest pytest-timeout && pytest -m vllm
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

vllm = pytest.importorskip("vllm", reason="needs the extra: pip install '.[vllm]' in an environment of its own")
pytestmark = pytest.mark.vllm

from l4serve.config.stack_file import SERVING_KEY, parse_stack, read_stack_file  # noqa: E402
from l4serve.planning.stack.stack_planner import plan_stack  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def planned_workloads() -> Iterator:
    """Every vLLM workload of the committed stacks and recipes, planned for the installed version."""
    stacks = [read_stack_file(path) for path in sorted(ROOT.glob("Pulumi.*.yaml"))]
    recipes = sorted(path.stem for path in (ROOT / "stacks" / "recipes").glob("vllm-*.yaml"))
    engine = {"kind": "vllm", "version": vllm.__version__}
    for name in recipes:
        workload = {"recipe": name, "engine": engine, "fit": "warn"}
        serving = {"cluster": {"mode": "existing"}, "workloads": {"w": workload}}
        stacks.append(parse_stack(name, {SERVING_KEY: serving}, base=ROOT))
    for stack in stacks:
        for planned in plan_stack(stack).workloads:
            if planned.engine.kind == "vllm" and planned.engine.version == vllm.__version__:
                yield pytest.param(planned, id=f"{stack.name}-{planned.name}")


@pytest.fixture(scope="module")
def parser():
    from vllm.entrypoints.cli.serve import ServeSubcommand
    from vllm.platforms import current_platform
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    # Without a GPU vLLM knows no device, and refuses to build the defaults that its options show.
    current_platform.device_type = current_platform.device_type or "cuda"
    parser = FlexibleArgumentParser()
    ServeSubcommand().subparser_init(parser.add_subparsers(dest="subparser"))
    return parser


@pytest.mark.parametrize("workload", list(planned_workloads()))
def test_planned_argv_parses_to_what_was_planned(parser, workload):
    args = parser.parse_args(["serve", *workload.engine.argv])
    assert (args.model_tag or args.model) == workload.model.id
    assert args.tensor_parallel_size == workload.layout.tensor_parallel_size
    if any(argument.startswith("--max-model-len") for argument in workload.engine.argv):
        assert args.max_model_len == workload.model.max_model_len


def test_invented_flag_is_refused(parser):
    with pytest.raises(SystemExit):
        parser.parse_args(["serve", "some/model", "--no-such-flag=1"])
