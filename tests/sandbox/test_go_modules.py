"""What is pinned, and what decides that a build is another one."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from l4serve.sandbox.go_modules import CONTROL_PLANE, GO_BUILDS, GoBuild, GoModule, kubernetes_version

MODULES = [module for build in GO_BUILDS for module in build.modules]


def pinned(name: str) -> GoModule:
    return next(module for module in MODULES if module.folder.name == name)


def go_mod(name: str) -> str:
    return (pinned(name).folder / "go.mod").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "module", "series"),
    [
        ("control-plane", "k8s.io/kubernetes", r"v1\.37\.\d+"),
        ("control-plane", "go.etcd.io/etcd/server/v3", r"v3\.7\.\d+"),
        ("control-plane", "sigs.k8s.io/kwok", r"v0\.8\.\d+"),
        ("engine", "github.com/pulumi/pulumi/pkg/v3", r"v3\.215\.\d+"),
    ],
)
def test_a_release_of_the_promised_series_is_pinned(name: str, module: str, series: str) -> None:
    assert re.search(rf"^\s*{re.escape(module)} {series}( //.*)?$", go_mod(name), re.MULTILINE)


def test_the_staging_modules_are_the_release_of_the_same_patch() -> None:
    replaced = dict(re.findall(r"^\s*(k8s\.io/\S+) => \1 (v\S+)$", go_mod("control-plane"), re.MULTILINE))
    assert len(replaced) > 25
    assert set(replaced.values()) == {kubernetes_version().replace("v1.", "v0.", 1)}


def test_each_main_package_is_in_the_repository_or_a_tool_of_its_module() -> None:
    for module in MODULES:
        if module.package == ".":
            assert "package main" in (module.folder / "main.go").read_text(encoding="utf-8")
        else:
            assert re.search(rf"^tool {re.escape(module.package)}$", go_mod(module.folder.name), re.MULTILINE)


def test_one_binary_knows_each_name_that_it_is_started_by() -> None:
    main = (pinned("control-plane").folder / "main.go").read_text(encoding="utf-8")
    assert tuple(re.findall(r'case "(\S+)":', main)) == pinned("control-plane").commands


def test_the_binaries_are_told_their_version() -> None:
    flags = pinned("control-plane").ldflags
    assert f"-X k8s.io/component-base/version.gitVersion={kubernetes_version()}" in flags
    assert "gitMinor=37" in flags
    assert pinned("engine").ldflags.endswith(f".Version={pinned('engine').version}")


def with_folders_in(build: GoBuild, folder: Path) -> GoBuild:
    """The same build with its modules copied to another folder."""
    moved = []
    for module in build.modules:
        shutil.copytree(module.folder, folder / module.folder.name, dirs_exist_ok=True)
        moved.append(replace(module, folder=folder / module.folder.name))
    return replace(build, modules=tuple(moved))


@pytest.mark.parametrize("build", GO_BUILDS, ids=lambda build: build.name)
def test_the_key_changes_with_every_pin_and_every_source(build: GoBuild, tmp_path: Path) -> None:
    moved = with_folders_in(build, tmp_path)
    assert moved.key == build.key
    for file in tmp_path.glob("*/*"):
        before = file.read_text(encoding="utf-8")
        file.write_text(before + "\n", encoding="utf-8")
        assert moved.key != build.key
        file.write_text(before, encoding="utf-8")
    fewer = replace(moved.modules[0], commands=())
    assert replace(moved, modules=(fewer, *moved.modules[1:])).key != build.key


def test_the_key_names_the_version() -> None:
    assert CONTROL_PLANE.key.startswith(f"control-plane-{kubernetes_version()}-")
