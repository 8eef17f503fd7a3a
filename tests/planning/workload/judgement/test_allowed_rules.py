"""`allow` overrides a rule by its id, says why on the Deployment, and takes no id that does not exist."""

from pathlib import Path

import pytest

from l4serve.cli.commands.render_command import render_stack
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import Stack, read_stack_file
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories


def stack(folder: Path, allow: list[object], **engine: object) -> Stack:
    chat = factories.workload("Qwen/Qwen2.5-7B-Instruct", engine={"kvCacheDtype": "fp8", **engine}, gpus=2, allow=allow)
    serving = factories.serving({"chat": chat}, pools={"l4": {"machineType": "g2-standard-24"}})
    return read_stack_file(factories.write_stack(folder, serving, name="dev"))


def planned(folder: Path, allow: list[object], **engine: object) -> StackPlan:
    return plan_stack(stack(folder, allow, **engine))


def test_the_reason_lands_in_the_deployments_annotations(tmp_path: Path) -> None:
    long = {"maxModelLen": 65536}
    with pytest.raises(ConfigError, match="vllm-context-beyond-model"):
        planned(tmp_path, [], **long)
    allow: list[object] = [{"rule": "vllm-context-beyond-model", "reason": "YaRN by --hf-overrides"}]
    rendered = render_stack(stack(tmp_path, allow, **long))
    (deployment,) = [o for o in rendered.objects if o["kind"] == "Deployment"]
    annotations = deployment["metadata"]["annotations"]
    assert [v for k, v in annotations.items() if k.endswith("/vllm-context-beyond-model")] == ["YaRN by --hf-overrides"]


def test_another_rule_still_refuses(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="vllm-context-beyond-model"):
        planned(tmp_path, ["vllm-eager"], maxModelLen=65536)


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        ("vllm-contxt-beyond-model", "did you mean vllm-context-beyond-model"),
        ("tgi-maintenance", "vllm has no rule tgi-maintenance"),
        ("everything", "l4serve contract rules"),
    ],
)
def test_an_unknown_rule_is_refused_with_the_near_one(tmp_path: Path, rule: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy) as caught:
        planned(tmp_path, [rule])
    assert "workloads.chat.allow[0]" in str(caught.value)
