"""The generator reads a release as text: a small made-up release has one of everything that real ones do."""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts import generate_vllm_contract
from scripts.contractgen.contract_files import fold, fold_variables, read_contracts, render, table_path
from scripts.contractgen.sdist import Archive
from scripts.generate_vllm_contract import vllm_contract, with_source
from tests.scripts.small_release import EXPECTED, FILES


@pytest.fixture
def release(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "vllm-9.9.9" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "vllm-9.9.9"


def test_flags_are_read_without_running_anything(release: Path) -> None:
    flags = vllm_contract(release, "9.9.9")["flags"]
    assert flags == EXPECTED
    assert list(flags) == sorted(flags)


def test_everything_else_is_read(release: Path) -> None:
    contract = vllm_contract(release, "9.9.9")
    assert contract["command"] == ["vllm", "serve"]
    assert contract["env"] == ["VLLM_ONE", "VLLM_TWO"]
    assert contract["variables"] == {}
    assert contract["paths"] == ["/health", "/metrics", "/v1/completions"]
    assert contract["models"] == {
        "AForCausalLM": "text experts lora packed pp sinks",
        "BForCausalLM": "text experts?",
        "CModel": "embedding",
        "DModel": "embedding experts lora packed pp sinks",
        "Draft": "draft experts?",
    }
    assert contract["dropped"] == {"OldForCausalLM": "0.10.2"}
    assert contract["dotted"] is True
    assert contract["image"] == {
        "cuda": "12.8.1",
        "findsDriver": False,
        "packages": ["opentelemetry-sdk", "runai-model-streamer"],
        "user": "root",
    }
    small = {"exceptDevices": [], "onlyDevices": [], "minMemoryGib": 0, "maxNumBatchedTokens": 4, "maxNumSeqs": 2}
    large = {"exceptDevices": ["a100"], "minMemoryGib": 70, "maxNumBatchedTokens": 8, "maxNumSeqs": 6}
    assert contract["batchDefaults"] == [{**small, **large}, small]
    assert contract["metrics"] == {
        "vllm:accepted_total": {"type": "counter", "when": "always"},
        "vllm:drafts_total": {"type": "counter", "when": "always"},
        "vllm:lora": {"type": "gauge", "when": "feature"},
        "vllm:old_seconds": {"type": "histogram", "when": "hidden"},
        "vllm:running": {"type": "gauge", "when": "always"},
        "vllm:tokens_total": {"type": "counter", "when": "always"},
    }


def archived(release: Path, version: str = "9.9.9") -> dict[str, Any]:
    return with_source(vllm_contract(release, version), Archive(release, f"vllm-{version}.tar.gz", "abc"), {})


def test_the_same_release_gives_the_same_bytes(release: Path) -> None:
    first, second = (render(fold("vllm", {"9.9.9": archived(release)})) for _ in range(2))
    assert first == second
    assert '"9.9.9": {"distribution": "vllm-9.9.9.tar.gz", "sha256": "abc"}' in first


def test_a_release_lies_on_both_sides_of_the_image_by_what_its_dockerfile_says(release: Path) -> None:
    dockerfile = release / "docker" / "Dockerfile"
    text = dockerfile.read_text("utf-8")
    for old, new in (
        ("12.8.1", "13.0.2"),
        ("FROM x AS base", "FROM x AS base\nENV LD_LIBRARY_PATH=/usr/local/nvidia/lib64:$X"),
    ):
        dockerfile.write_text(text.replace(old, new), encoding="utf-8")
        assert vllm_contract(release, "9.9.9")["image"]["findsDriver"] is True


@pytest.mark.parametrize(
    ("imported", "required", "hears"),
    [
        (("librosa", "soundfile"), "soundfile", False),
        (("librosa", "soundfile"), "librosa", True),
        (("av", "soundfile"), "torchcodec >= 0.14", False),
        (("av", "soundfile", "torchcodec.decoders"), "torchcodec >= 0.14", True),
    ],
)
def test_an_image_hears_by_one_of_the_packages_that_its_release_decodes_with(
    release: Path, imported: tuple[str, ...], required: str, *, hears: bool
) -> None:
    reader = release / "vllm" / "multimodal" / "media" / "audio.py"
    reader.parent.mkdir(parents=True)
    tries = (f"try:\n    import {name}\nexcept ImportError:\n    pass\n" for name in imported)
    reader.write_text("".join(tries), encoding="utf-8")
    (release / "requirements" / "cuda.txt").write_text(f"{required}\n", encoding="utf-8")
    assert vllm_contract(release, "9.9.9")["image"].get("audio", False) is hears


def test_a_wheel_without_a_dockerfile_takes_the_image_of_the_release_before(release: Path) -> None:
    known = {"9.9.9": archived(release), "10.0.0": archived(release, "10.0.0")}
    (release / "docker" / "Dockerfile").unlink()
    wheel = with_source(vllm_contract(release, "9.10.0"), Archive(release, "vllm-9.10.0-x.whl", "def"), known)
    assert (wheel["command"], wheel["image"]) == (known["9.9.9"]["command"], known["9.9.9"]["image"])
    assert wheel["source"] == {"distribution": "vllm-9.10.0-x.whl", "sha256": "def", "imageOf": "9.9.9"}


def test_a_table_gives_back_what_was_put_in(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.contractgen.contract_files.CONTRACTS", tmp_path)
    first, second, third = (archived(release, version) for version in ("9.9.9", "9.10.0", "10.0.0"))
    del second["flags"]["--share"]
    second["flags"]["--moe"]["choices"] = ["deep"]
    second["env"] = ["VLLM_ONE"]
    made = {contract["version"]: contract for contract in (first, second, third)}
    first["variables"] = third["variables"] = {"VLLM_ONE": {"type": "int"}}
    (tmp_path / "vllm.json").write_text(render(fold("vllm", made)), encoding="utf-8")
    (tmp_path / "vllm_variables.json").write_text(render(fold_variables(made)), encoding="utf-8")
    assert '"VLLM_ONE": {"9.9.9:9.9.9 10.0.0:": {"type": "int"}}' in render(fold_variables(made))
    back = read_contracts("vllm")
    assert list(back) == ["9.9.9", "9.10.0", "10.0.0"]
    for version, contract in made.items():
        for flag in (*contract["flags"].values(), *back[version]["flags"].values()):
            for part in ("choices", "values"):
                flag[part] = sorted(flag.get(part, ()))
        assert back[version] == contract
    assert '"--share": {"9.9.9:9.9.9 10.0.0:": ' in render(fold("vllm", made))


def test_write_check_and_change(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.contractgen.contract_files.CONTRACTS", tmp_path)
    archive = tmp_path / "vllm-9.9.9.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(release, arcname="vllm-9.9.9")
    arguments = ["9.9.9", "--archives", str(tmp_path)]
    assert generate_vllm_contract.main(arguments) == 0
    written = tmp_path / "vllm.json"
    assert generate_vllm_contract.main([*arguments, "--check"]) == 0
    written.write_text(written.read_text("utf-8").replace("--share", "--shares"), encoding="utf-8")
    assert generate_vllm_contract.main([*arguments, "--check"]) == 1
    assert "--shares" in written.read_text("utf-8")


@pytest.mark.parametrize("engine", ["vllm", "tgi"])
def test_committed_contracts_are_in_the_generators_form(engine: str) -> None:
    contracts = read_contracts(engine)
    assert render(fold(engine, contracts)) == table_path(engine).read_text("utf-8")
    if (variables := table_path(engine, "variables")).is_file():
        assert render(fold_variables(contracts)) == variables.read_text("utf-8")
