"""l4serve doctor: what it says of a stack, of a login and of the network."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app


def test_a_stack_is_looked_at_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://example.com")
    result = CliRunner().invoke(app, ["doctor", "-s", "dev", "--offline"])
    assert result.exit_code == 1
    assert "bad     pulumi: it is not on PATH\n        fix: install the Pulumi CLI" in result.output
    assert "ok      token: " in result.output
    document = json.loads(CliRunner().invoke(app, ["doctor", "-s", "dev", "--offline", "--json"]).output)
    assert {each["subject"] for each in document["findings"]} >= {"pulumi", "token", "state lock"}


def test_a_state_and_a_stack_are_two_questions(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", str(tmp_path / "state.json"), "-s", "dev"])
    assert result.exit_code == 2


def test_without_a_login_the_way_to_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    monkeypatch.setenv("PATH", "/nowhere")
    result = CliRunner().invoke(app, ["doctor", "-s", "dev"])
    assert result.exit_code == 1
    assert "bad     login: " in result.output


CLIENT_LIBRARY = {
    "__init__.py": "def default(scopes):\n    from . import transport\n    return transport.Credentials(), None\n",
    "exceptions.py": (
        "class GoogleAuthError(Exception): ...\n"
        "class TransportError(GoogleAuthError): ...\n"
        "class RefreshError(GoogleAuthError): ...\n"
    ),
    "transport/__init__.py": (
        "from google.auth import exceptions\nclass Credentials:\n    def refresh(self, request):\n        RAISE\n"
    ),
    "transport/requests.py": "class AuthorizedSession: ...\nclass Request: ...\n",
}
"""As much of Google's client library as asks for a login, with the exceptions of its own names."""


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("raise exceptions.TransportError('NameResolutionError')", "bad     network: Google does not answer: NameRes"),
        (
            "raise exceptions.RefreshError('no metadata') from exceptions.TransportError()",
            "bad     network: Google does not answer: no metadata",
        ),
        ("raise exceptions.RefreshError('expired')", "bad     login: no login: expired\n        fix: gcloud auth"),
    ],
)
def test_a_network_that_is_down_is_no_fault_of_the_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: str, said: str
) -> None:
    for name, text in CLIENT_LIBRARY.items():
        file = tmp_path / "google" / "auth" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("RAISE", raised), encoding="utf-8")
    for name in [name for name in sys.modules if name == "google" or name.startswith("google.auth")]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "google" / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    try:
        assert said in CliRunner().invoke(app, ["doctor", "-s", "dev"]).output
    finally:
        for name in [name for name in sys.modules if name == "google" or name.startswith("google.auth")]:
            del sys.modules[name]


def test_a_stack_that_only_reaches_a_cluster_needs_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    said = CliRunner().invoke(app, ["doctor", "-s", "local"]).output
    assert "ok      project: none is needed" in said
