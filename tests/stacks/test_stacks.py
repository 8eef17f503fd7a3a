"""Every committed stack: it validates, plans and renders offline, keeps its golden argv, and keeps the token secret."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from l4serve.cli.commands.render_command import render_stack, write_rendered
from l4serve.cli.recording import SECRET_MARKER, RecordingMonitor
from l4serve.config.stack_file import TOKEN_KEY, read_stack_file
from stacks.workloads import make_workloads
from tests.stack_cases import ROOT, STACKS, objects, planned, rendered

GOLDEN = Path(__file__).parents[1] / "golden"
EACH = pytest.mark.parametrize("stack", STACKS)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a plan or a rendering reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_the_five_stacks_are_there() -> None:
    assert set(STACKS) == {"dev", "staging", "prod", "guide", "local"}


@EACH
def test_plans_and_renders_offline(stack: str) -> None:
    assert set(objects(stack, "Deployment")) == {w.name for w in planned(stack).workloads}
    assert (planned(stack).cluster.managed is None) == (rendered(stack).cloud == ())


def test_providers_start_before_workloads_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monitors: list[RecordingMonitor] = []
    sent: list[str] = []
    begin = RecordingMonitor.__init__

    def begun(monitor: RecordingMonitor, outputs: Any) -> None:
        begin(monitor, outputs)
        monitors.append(monitor)

    def making(*args: Any) -> Any:
        sent.extend(each.type for each in monitors[-1].registrations)
        return make_workloads(*args)

    monkeypatch.setattr(RecordingMonitor, "__init__", begun)
    monkeypatch.setattr("stacks.serving._SENT_S", 0.5)  # A busy machine needs longer until they are sent.
    monkeypatch.setattr("stacks.serving.make_workloads", making)
    render_stack(read_stack_file(ROOT / "Pulumi.local.yaml"))
    assert "pulumi:providers:kubernetes" in sent


@EACH
def test_every_object_says_whose_it_is(stack: str) -> None:
    made = [each for each in rendered(stack).objects if each.get("metadata")]
    assert made
    assert {each["metadata"]["labels"]["l4serve.dev/stack"] for each in made} == {stack}


@EACH
def test_golden_argv(stack: str, request: pytest.FixtureRequest) -> None:
    """`pytest --update-golden` writes the files anew; read their diff before committing it."""
    argv = {
        w.name: {"image": w.engine.image, "env": dict(w.engine.env), "argv": list(w.engine.argv)}
        for w in planned(stack).workloads
    }
    file = GOLDEN / f"{stack}.json"
    if request.config.getoption("--update-golden"):
        file.write_text(json.dumps(argv, indent=2) + "\n", encoding="utf-8")
    assert json.loads(file.read_text("utf-8")) == argv


@EACH
def test_committed_files_hold_no_secret(stack: str) -> None:
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"))
    assert set(document) == {"config"}
    assert TOKEN_KEY not in document["config"]
    assert "secure" not in json.dumps(document)


@EACH
def test_the_token_is_only_in_the_secret(stack: str) -> None:
    for manifest in rendered(stack).objects:
        text = json.dumps(manifest)
        assert "placeholder-for-the-token" not in text
        assert (SECRET_MARKER in text) == (manifest["kind"] == "Secret")
    assert "placeholder-for-the-token" not in json.dumps([rendered(stack).cloud, rendered(stack).outputs])


@EACH
def test_outputs(stack: str) -> None:
    outputs = rendered(stack).outputs
    assert outputs.get("clusterName") == planned(stack).cluster.name
    assert set(outputs) >= {"kubeconfig", "workloads"}
    for workload in planned(stack).workloads:
        assert outputs["workloads"][workload.name] == {
            "host": f"{workload.name}.{planned(stack).namespace}.svc.cluster.local",
            "port": workload.service.port,
            "model": workload.model.id,
            "url": f"http://{workload.name}.{planned(stack).namespace}.svc.cluster.local:{workload.service.port}",
            "portForward": f"kubectl -n {planned(stack).namespace} port-forward service/{workload.name} "
            f"{workload.service.port}:{workload.service.port}",
        }


def test_the_kubeconfig_is_a_secret_output() -> None:
    assert rendered("dev").outputs["kubeconfig"] == SECRET_MARKER


@EACH
def test_written_files_apply_in_order(stack: str, tmp_path: Path) -> None:
    files = write_rendered(rendered(stack), tmp_path / "out")
    kinds = [yaml.safe_load(f.read_text("utf-8"))["kind"] for f in files if f.suffix == ".yaml"]
    assert kinds == [o["kind"] for o in rendered(stack).objects]
    assert all(f.read_text("utf-8").startswith("apiVersion: ") for f in files if f.suffix == ".yaml")
    assert kinds[0] == "Namespace"
    assert json.loads((tmp_path / "out/cloud.json").read_text("utf-8")) == json.loads(json.dumps(rendered(stack).cloud))


def test_a_rendering_replaces_only_renderings(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_rendered(rendered("dev"), folder)
    write_rendered(rendered("dev"), folder)
    first = {file.name for file in folder.iterdir()}
    write_rendered(rendered("guide"), folder)
    write_rendered(rendered("dev"), folder)
    assert {file.name for file in folder.iterdir()} == first


@pytest.mark.parametrize(
    "name", ["notes.txt", "000-base.yml", "001-mine.yaml", "000-deployment-a.yaml", "000-a-b.yaml/c"]
)
@pytest.mark.parametrize("beside_a_rendering", [True, False])
def test_what_others_wrote_is_kept(name: str, beside_a_rendering: bool, tmp_path: Path) -> None:
    folder, mine = tmp_path / "out", tmp_path / "out" / name
    if beside_a_rendering and name != "000-deployment-a.yaml":
        write_rendered(rendered("dev"), folder)
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine")
    before = sorted(folder.rglob("*"))
    with pytest.raises(FileExistsError, match="no rendering"):
        write_rendered(rendered("dev"), folder)
    assert mine.read_text() == "mine"
    assert sorted(folder.rglob("*")) == before


def test_the_working_directory_and_links_to_folders_take_a_rendering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    files = write_rendered(rendered("dev"), tmp_path / "link")
    monkeypatch.chdir(tmp_path / "real")
    again = write_rendered(rendered("dev"), Path())
    assert [file.name for file in files] == [file.name for file in again]
    assert Path("cloud.json").is_file()
