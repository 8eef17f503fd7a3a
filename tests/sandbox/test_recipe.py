"""What is pinned, and what decides that a build is another one."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from l4serve.sandbox.go_modules import GO_MODULES, KUBERNETES_MODULE, GoModule, build_key, kubernetes_version


def pinned(name: str) -> GoModule:
    return next(module for module in GO_MODULES if module.folder.name == name)


@pytest.mark.parametrize(
    ("name", "series"), [("kubernetes", r"v1\.37\.\d+"), ("etcd", r"v3\.7\.\d+"), ("kwok", r"v0\.8\.\d+")]
)
def test_a_release_of_the_promised_series_is_pinned(name: str, series: str) -> None:
    assert re.fullmatch(series, pinned(name).version)


def test_the_staging_modules_are_the_release_of_the_same_patch() -> None:
    go_mod = (pinned("kubernetes").folder / "go.mod").read_text(encoding="utf-8")
    replaced = dict(re.findall(r"^\s*(k8s\.io/\S+) => \1 (v\S+)$", go_mod, re.MULTILINE))
    assert len(replaced) > 25
    assert set(replaced.values()) == {kubernetes_version().replace("v1.", "v0.", 1)}


def test_each_binary_is_a_tool_of_its_module() -> None:
    for module in GO_MODULES:
        go_mod = (module.folder / "go.mod").read_text(encoding="utf-8")
        for package in module.binaries.values():
            assert re.search(rf"^(?:tool )?\s*{re.escape(package)}$", go_mod, re.MULTILINE)


def test_the_binaries_are_told_the_kubernetes_version() -> None:
    flags = pinned("kubernetes").ldflags
    assert f"-X k8s.io/component-base/version.gitVersion={kubernetes_version()}" in flags
    assert "gitMinor=37" in flags


def test_the_key_names_the_version_and_changes_with_every_pin(tmp_path: Path) -> None:
    assert build_key().startswith(f"{kubernetes_version()}-")
    moved = []
    for module in GO_MODULES:
        shutil.copytree(module.folder, tmp_path / module.folder.name)
        moved.append(replace(module, folder=tmp_path / module.folder.name))
    same = build_key(tuple(moved))
    assert same == build_key()
    for module in moved:
        go_sum = module.folder / "go.sum"
        before = go_sum.read_text(encoding="utf-8")
        go_sum.write_text(before + "example.com/x v1.0.0 h1:x=\n", encoding="utf-8")
        assert build_key(tuple(moved)) != same
        go_sum.write_text(before, encoding="utf-8")
    fewer = replace(moved[-1], binaries={"kube-scheduler": f"{KUBERNETES_MODULE}/cmd/kube-scheduler"})
    assert build_key((*moved[:-1], fewer)) != same
