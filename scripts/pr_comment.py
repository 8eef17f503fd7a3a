"""Renders a difference as a comment, and keeps one comment of a change up to date with it.

    pr_comment.py render diff.json                    print the comment
    pr_comment.py stacks diff.json dev prod           print which of these stacks the change touches, as JSON
    pr_comment.py github --run ID --head OWNER:BRANCH --sha SHA
    pr_comment.py gitlab diff.json                    from a job of a merge request

The two last ones run with a token and read what an untrusted run left: its size, its shape and every text in it are
checked here, the comment is rendered here, and the change that it goes to comes from the platform's own event.
"""

import argparse
import io
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l4serve.report.comment import MARK, comment
from l4serve.report.from_elsewhere import MOST_BYTES, read_document
from l4serve.report.shape import ShapeError
from l4serve.report.words import Doc

ARTIFACT, MEMBER = "l4serve-diff", "diff.json"
_SECONDS = 30
_MOST_PAGES = 20


class CommentError(Exception):
    """Why there is no comment; the message repeats nothing of what was read."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is followed by hand: the token goes to nobody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True)
class Api:
    """A platform's REST API with the headers that carry the token."""

    url: str
    headers: Mapping[str, str]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer of a call; raises CommentError."""
        data = None if body is None else json.dumps(body).encode()
        return json.loads(self.raw(method, path, data) or b"null")

    def raw(self, method: str, path: str, data: bytes | None = None, most: int = MOST_BYTES) -> bytes:
        """The answer's bytes; of a redirect, what is there without the token."""
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with _OPENER.open(request, timeout=_SECONDS) as answer:
                return _bounded(answer, most)
        except urllib.error.HTTPError as error:
            if error.code in (301, 302, 303, 307, 308) and method == "GET":
                with urllib.request.urlopen(error.headers["Location"], timeout=_SECONDS) as answer:
                    return _bounded(answer, most)
            raise CommentError(f"{method} {path} answered {error.code}") from None
        except OSError as error:
            raise CommentError(f"{method} {path}: {error}") from None

    def pages(self, path: str) -> Iterator[Any]:
        """The items of a list, over its pages."""
        sign = "&" if "?" in path else "?"
        for page in range(1, _MOST_PAGES + 1):
            items = self.call("GET", f"{path}{sign}per_page=100&page={page}")
            yield from items
            if len(items) < 100:
                return


def _bounded(answer: Any, most: int) -> bytes:
    content: bytes = answer.read(most + 1)
    if len(content) > most:
        raise CommentError(f"an answer is larger than {most} bytes")
    return content


def document_in(archive: bytes) -> bytes:
    """The one file that an artifact holds for us, read into memory and nowhere else. Raises CommentError."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            info = opened.getinfo(MEMBER)
            if info.file_size > MOST_BYTES:
                raise CommentError(f"{MEMBER} is larger than {MOST_BYTES} bytes")
            with opened.open(info) as file:
                return _bounded(file, MOST_BYTES)
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, OSError, EOFError):
        raise CommentError(f"the artifact is no archive with a {MEMBER}") from None


def _comment_of(doc: Doc) -> str:
    """The comment of a document that others wrote. Raises CommentError where it does not hold what it should."""
    try:
        return comment(doc)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise CommentError("the difference does not have the form of one") from None


def on_github(api: Api, repository: str, run: int, head: str, sha: str) -> str:
    """Puts the comment of a run on the change that the run was for; returns what was done."""
    number = _change_of(api, repository, head, sha)
    listed = api.call("GET", f"/repos/{repository}/actions/runs/{run}/artifacts?name={ARTIFACT}")
    found = next((each for each in listed["artifacts"] if each["name"] == ARTIFACT), None)
    if found is None:
        return "the run left no difference"
    if found["size_in_bytes"] > MOST_BYTES:
        raise CommentError("the artifact is too large")
    archive = api.raw("GET", f"/repos/{repository}/actions/artifacts/{int(found['id'])}/zip")
    body = {"body": _comment_of(read_document(document_in(archive)))}
    comments = f"/repos/{repository}/issues"
    for each in api.pages(f"{comments}/{number}/comments"):
        if each["user"]["type"] == "Bot" and each["body"].startswith(MARK):
            api.call("PATCH", f"{comments}/comments/{int(each['id'])}", body)
            return f"comment {each['id']} of #{number} is up to date"
    api.call("POST", f"{comments}/{number}/comments", body)
    return f"#{number} has its comment"


def _change_of(api: Api, repository: str, head: str, sha: str) -> int:
    """The open pull request whose head is the commit that the run was for."""
    asked = urllib.parse.urlencode({"state": "open", "head": head})
    for each in api.pages(f"/repos/{repository}/pulls?{asked}"):
        if each["head"]["sha"] == sha:
            return int(each["number"])
    raise CommentError("no open pull request has this head: it moved on, or was closed")


def on_gitlab(api: Api, project: str, request: int, content: bytes) -> str:
    """Puts the comment on a merge request, over the one that is there."""
    body = {"body": _comment_of(read_document(content))}
    notes = f"/projects/{urllib.parse.quote(project, safe='')}/merge_requests/{request}/notes"
    me = api.call("GET", "/user")["id"]
    for each in api.pages(notes):
        if each["author"]["id"] == me and each["body"].startswith(MARK):
            api.call("PUT", f"{notes}/{int(each['id'])}", body)
            return f"note {each['id']} of !{request} is up to date"
    api.call("POST", notes, body)
    return f"!{request} has its note"


def main(arguments: list[str]) -> int:
    """Runs one of the three ways; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    ways = parser.add_subparsers(dest="way", required=True)
    ways.add_parser("render").add_argument("file", type=Path)
    stacks = ways.add_parser("stacks")
    stacks.add_argument("file", type=Path)
    stacks.add_argument("names", nargs="+")
    ways.add_parser("gitlab").add_argument("file", type=Path)
    github = ways.add_parser("github")
    github.add_argument("--run", type=int, required=True)
    github.add_argument("--head", required=True)
    github.add_argument("--sha", required=True)
    given = parser.parse_args(arguments)
    try:
        print(_done(given), end="" if given.way == "render" else "\n")
    except (CommentError, ShapeError) as error:
        print(f"no comment: {error}", file=sys.stderr)
        return 1
    return 0


def _done(given: argparse.Namespace) -> str:
    if given.way == "render":
        return _comment_of(read_document(_content(given.file)))
    if given.way == "stacks":
        stacks = read_document(_content(given.file))["stacks"]
        # Of a stack whose file goes there is nothing to preview.
        there = (each for each in stacks if each["verdict"] == "refused" or each["cost"]["after"])
        touched = {each["stack"] for each in there if each["verdict"] != "same"}
        return json.dumps([name for name in given.names if name in touched])
    environment = os.environ
    if given.way == "gitlab":
        api = Api(environment["CI_API_V4_URL"], {"PRIVATE-TOKEN": environment["L4SERVE_COMMENT_TOKEN"]})
        request = int(environment["CI_MERGE_REQUEST_IID"])
        return on_gitlab(api, environment["CI_MERGE_REQUEST_PROJECT_ID"], request, _content(given.file))
    if not re.fullmatch(r"[0-9a-f]{40}", given.sha):
        raise CommentError("--sha is no commit")
    headers = {"Authorization": f"Bearer {environment['GH_TOKEN']}", "Accept": "application/vnd.github+json"}
    api = Api(environment.get("GITHUB_API_URL", "https://api.github.com"), headers)
    return on_github(api, environment["GITHUB_REPOSITORY"], given.run, given.head, given.sha)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
