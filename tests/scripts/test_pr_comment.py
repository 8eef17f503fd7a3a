"""The trusted half of a preview: it treats what the untrusted half left as hostile, and keeps one comment."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from l4serve.report.comment import MARK
from l4serve.report.shape import ShapeError
from scripts import pr_comment
from scripts.pr_comment import Api, CommentError, document_in, on_github, on_gitlab
from tests.report.inert import assert_inert
from tests.report.pages import document_of, hostile

SHA = "a" * 40


def archive(content: bytes, name: str = pr_comment.MEMBER) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(name, content)
    return made.getvalue()


GOOD = archive(json.dumps(document_of("scaled up")).encode())


class Platform:
    """Answers as the two platforms do, and keeps what it was told. Redirects go to itself, without the token."""

    def __init__(self) -> None:
        self.archive = GOOD
        self.size = len(GOOD)
        self.comments: list[dict[str, Any]] = []
        self.heads = [SHA]
        self.written: list[tuple[str, str, str]] = []
        self.tokens: list[tuple[str, str | None]] = []
        self.url = ""

    def answer(self, method: str, path: str, body: Any) -> Any:
        bare = path.partition("?")[0]
        if method != "GET":
            self.written.append((method, bare, body["body"]))
            return {"id": 1}
        if bare.endswith("/pulls"):
            return [{"number": 7, "head": {"sha": head}} for head in self.heads]
        if bare.endswith("/artifacts"):
            return {"artifacts": [{"id": 3, "name": pr_comment.ARTIFACT, "size_in_bytes": self.size}]}
        return {"id": 9} if bare == "/user" else self.comments


@pytest.fixture
def platform() -> Iterator[Platform]:
    known = Platform()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            known.tokens.append((self.path, self.headers.get("Authorization")))
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if self.path.endswith("/zip"):
                self.send_response(302)
                self.send_header("Location", f"{known.url}/storage")
                self.end_headers()
                return
            content = (
                known.archive
                if self.path == "/storage"
                else json.dumps(known.answer(self.command, self.path, body)).encode()
            )
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = handle_one  # noqa: N815 - the names are http.server's

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def github(platform: Platform) -> str:
    return on_github(Api(platform.url, {"Authorization": "Bearer secret"}), "o/r", 5, "fork:branch", SHA)


def test_a_first_run_writes_a_comment_and_a_second_one_replaces_it(platform: Platform) -> None:
    github(platform)
    ((method, path, body),) = platform.written
    assert (method, path) == ("POST", "/repos/o/r/issues/7/comments")
    assert body.startswith(MARK)
    someone = {"id": 41, "user": {"type": "User"}, "body": body}
    platform.comments = [someone, {"id": 42, "user": {"type": "Bot"}, "body": body}]
    github(platform)
    assert platform.written[-1][:2] == ("PATCH", "/repos/o/r/issues/comments/42")


def test_the_token_goes_to_the_platform_alone(platform: Platform) -> None:
    github(platform)
    sent = dict(platform.tokens)
    assert sent["/storage"] is None
    assert all(token == "Bearer secret" for path, token in platform.tokens if path != "/storage")


def test_a_head_that_moved_on_gets_no_comment(platform: Platform) -> None:
    platform.heads = ["b" * 40]
    with pytest.raises(CommentError, match="moved on"):
        github(platform)
    assert platform.written == []


@pytest.mark.parametrize(
    "content",
    [b"no archive", archive(b"{}", "other.json"), archive(b"not json"), archive(b"{}"), archive(b"0" * 20_000_000)],
    ids=["no archive", "another file", "no JSON", "another shape", "bomb"],
)
def test_a_hostile_artifact_gets_no_comment(content: bytes, platform: Platform) -> None:
    platform.archive = content
    with pytest.raises((CommentError, ShapeError)):
        github(platform)
    assert platform.written == []


def test_an_artifact_that_says_it_is_large_is_not_fetched(platform: Platform) -> None:
    platform.size = 10**9
    with pytest.raises(CommentError, match="too large"):
        github(platform)
    assert not any(path == "/storage" for path, _ in platform.tokens)


def test_markup_in_an_artifact_is_text_in_the_comment(platform: Platform) -> None:
    platform.archive = archive(json.dumps(hostile(document_of("other engine"))).encode())
    github(platform)
    body = platform.written[0][2]
    assert "script" in body
    assert_inert(body)
    assert body.count(MARK) == 1


def test_only_the_one_file_of_an_archive_is_read() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr("../../evil", b"x")
        opened.writestr(pr_comment.MEMBER, b"{}")
    assert document_in(made.getvalue()) == b"{}"


def test_a_note_of_ones_own_is_replaced_on_gitlab(platform: Platform) -> None:
    content = json.dumps(document_of("scaled up")).encode()
    api = Api(platform.url, {"PRIVATE-TOKEN": "secret"})
    on_gitlab(api, "group/project", 3, content)
    assert platform.written[-1][:2] == ("POST", "/projects/group%2Fproject/merge_requests/3/notes")
    platform.comments = [{"id": 8, "author": {"id": 9}, "body": MARK}, {"id": 7, "author": {"id": 1}, "body": MARK}]
    on_gitlab(api, "group/project", 3, content)
    assert platform.written[-1][:2] == ("PUT", "/projects/group%2Fproject/merge_requests/3/notes/8")


def test_the_comment_can_be_rendered_alone(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "diff.json"
    file.write_text(json.dumps(document_of("scaled up")), encoding="utf-8")
    assert pr_comment.main(["render", str(file)]) == 0
    assert capsys.readouterr().out.startswith(MARK)
    file.write_text("{}", encoding="utf-8")
    assert pr_comment.main(["render", str(file)]) == 1


def test_a_stack_that_goes_has_nothing_to_preview(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    document = document_of("scaled up")
    gone = {**document["stacks"][0], "stack": "gone"}
    gone["cost"] = {**gone["cost"], "after": None}
    document["stacks"] = [{**document["stacks"][0], "stack": "kept"}, gone]
    file = tmp_path / "diff.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert pr_comment.main(["stacks", str(file), "kept", "gone", "other"]) == 0
    assert json.loads(capsys.readouterr().out) == ["kept"]
