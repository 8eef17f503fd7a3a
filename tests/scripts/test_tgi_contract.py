"""The generator reads TGI's published reference."""

from pathlib import Path
from urllib.error import URLError

import pytest

from scripts import generate_tgi_contract
from scripts.generate_tgi_contract import tgi_contract

FILES = {
    "docs/source/reference/launcher.md": """# Arguments
## MODEL_ID
```shell
      --model-id <MODEL_ID>
          The model

          [env: MODEL_ID=]
          [default: acme/model]

```
## QUANTIZE
```shell
      --quantize <QUANTIZE>
          Quantisation

          Possible values:
          - awq:  4 bits
          - fp8:  8 bits

          [env: QUANTIZE=]

```
## DTYPE
```shell
      --dtype <DTYPE>
          [env: DTYPE=]
          [possible values: float16, bfloat16]

```
## MAX_INPUT_LENGTH
```shell
      --max-input-length <MAX_INPUT_LENGTH>
          Legacy version of [`Args::max_input_tokens`]

          [env: MAX_INPUT_LENGTH=]

```
## PORT
```shell
  -p, --port <PORT>
          [env: PORT=]
          [default: 3000]

```
## SHARE
```shell
      --share <SHARE>
          [env: SHARE=]
          [default: 0.5]

```
## ORIGIN
```shell
      --origin <ORIGIN>
          [env: ORIGIN=]

```
## JSON_OUTPUT
```shell
      --json-output
          [env: JSON_OUTPUT=]

```
## HELP
```shell
  -h, --help
          Print help

```
""",
    "docs/source/reference/metrics.md": "| Name | What | Type | Unit |\n| `tgi_queue_size` | Queue | Gauge | Count |\n",
    "launcher/src/main.rs": """
struct Args {
    /// doc
    #[clap(long)]
    model_id: String,
    quantize: Option<Quantization>,
    max_input_length: Option<usize>,
    port: u16,
    share: f32,
    origin: Vec<String>,
}
fn main() { std::env::var("ATTENTION"); }
""",
    "Dockerfile": "FROM nvidia/cuda:12.4.1-devel-ubuntu AS build\nFROM nvidia/cuda:12.4.0-base-ubuntu AS base\n",
    "router/src/server.rs": """app.route("/health", get(health)).route(\n "/generate", post(generate))
metrics::increment_counter!("tgi_request_count"); metrics::gauge!("tgi_queue_size", 0);
""",
    "backends/v3/src/lib.rs": "",
    "server/text_generation_server/models/__init__.py": """
class ModelType(enum.Enum):
    LLAMA = {
        "type": "llama",
        "name": "Llama",
    }
    PHI_3 = {"type": "phi3", "name": "Phi 3"}


other = {"type": "unrelated"}
def get_model(): return model_type == "t5"
""",
    "server/text_generation_server/utils/hub.py": 'os.getenv("HF_HUB_OFFLINE", "0")',
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_the_reference_is_read(release: Path) -> None:
    contract = tgi_contract(release, "9.9.9")
    assert contract["flags"] == {
        "--dtype": {"type": "str", "env": "DTYPE", "choices": ["float16", "bfloat16"]},
        "--json-output": {"type": "flag", "env": "JSON_OUTPUT"},
        "--max-input-length": {"type": "u64", "env": "MAX_INPUT_LENGTH", "deprecated": "deprecated"},
        "--model-id": {"type": "str", "env": "MODEL_ID", "default": "acme/model"},
        "--origin": {"type": "str", "env": "ORIGIN", "repeatable": True},
        "--port": {"type": "u16", "aliases": ["-p"], "env": "PORT", "default": 3000},
        "--quantize": {"type": "str", "env": "QUANTIZE", "choices": ["awq", "fp8"]},
        "--share": {"type": "f32", "env": "SHARE", "default": 0.5},
    }
    assert {"ATTENTION", "HF_HUB_OFFLINE", "PORT"} <= set(contract["env"])
    assert contract["metrics"] == {"tgi_queue_size": {"type": "gauge", "when": "always"}}
    assert contract["paths"] == ["/generate", "/health"]
    assert contract["models"] == {"llama": "text", "phi3": "text", "t5": "text"}
    assert contract["image"]["cuda"] == "12.4.0"
    assert contract["source"]["reference"].endswith("/blob/v9.9.9/docs/source/reference/launcher.md")


def test_releases_before_the_reference_are_read_from_the_tutorials_and_the_router(release: Path) -> None:
    place = release / "docs/source/basic_tutorials"
    place.mkdir()
    (release / "docs/source/reference/launcher.md").rename(place / "launcher.md")
    (release / "docs/source/reference/metrics.md").unlink()
    contract = tgi_contract(release, "9.9.9")
    assert "--model-id" in contract["flags"]
    assert contract["source"]["reference"].endswith("basic_tutorials/launcher.md")
    assert contract["metrics"] == {
        "tgi_request_count": {"type": "counter", "when": "always"},
        "tgi_queue_size": {"type": "gauge", "when": "always"},
    }


def test_check_says_whether_the_file_would_change(
    release: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("contracts")
    monkeypatch.setattr("scripts.contractgen.contract_files.CONTRACTS", folder)
    (release.parent / "trees").mkdir()
    release.rename(release.parent / "trees" / "v9.9.9")
    arguments = ["9.9.9", "--trees", str(release.parent / "trees")]
    assert generate_tgi_contract.main([*arguments, "--check"]) == 1
    assert not list(folder.iterdir())
    assert generate_tgi_contract.main(arguments) == 0
    assert generate_tgi_contract.main([*arguments, "--check"]) == 0


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise URLError("no route")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(SystemExit, match=r"9\.9\.9.*no route.*--trees"):
        generate_tgi_contract.main(["9.9.9", "--check"])
