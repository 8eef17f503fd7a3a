"""Google's APIs as a doctor reads them: GET and POST of JSON, by the credentials of Google's own client library."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.config.secrecy.secret_shapes import excerpt

ROOTS: Mapping[str, str] = {
    "compute": "https://compute.googleapis.com/compute/v1",
    "projects": "https://cloudresourcemanager.googleapis.com/v1",
    "services": "https://serviceusage.googleapis.com/v1",
    "quotas": "https://cloudquotas.googleapis.com/v1",
    "storage": "https://storage.googleapis.com/storage/v1",
}
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_SECONDS = 20


class LoginError(Exception):
    """No credentials can be had: what is at fault, what it says, and the remedy."""

    def __init__(self, subject: str, text: str, remedy: str) -> None:
        self.subject, self.text, self.remedy = subject, text, remedy
        super().__init__(text)


class ApiError(Exception):
    """An API answered with an error, or not at all."""

    def __init__(self, status: int | None, text: str) -> None:
        self.status = status
        super().__init__(text)


@frozen()
class GoogleApis:
    """A session, and where each API lies."""

    session: Any
    """What sends requests as requests.Session does: google.auth's AuthorizedSession."""
    roots: Mapping[str, str] = field(default_factory=lambda: ROOTS)

    def get(self, api: str, path: str, **query: Any) -> dict[str, Any]:
        """The JSON object behind a path. Raises ApiError."""
        return self._send("GET", api, path, params=query)

    def post(self, api: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that a call answers. Raises ApiError."""
        return self._send("POST", api, path, json=dict(body))

    def _send(self, method: str, api: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            answer = self.session.request(method, f"{self.roots[api]}/{path}", timeout=_SECONDS, **options)
            document = answer.json() if answer.content else {}
        except (OSError, ValueError) as error:
            raise ApiError(None, f"{type(error).__name__} from {self.roots[api]}") from None
        if answer.status_code >= 400:
            said = document.get("error", {}) if isinstance(document, dict) else {}
            raise ApiError(answer.status_code, str(said.get("message") or answer.status_code))
        return document if isinstance(document, dict) else {}


def google_apis() -> GoogleApis:
    """The APIs under the application default credentials. Raises LoginError."""
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.auth.transport.requests import AuthorizedSession, Request
    except ImportError:
        install = "pip install --require-hashes -r requirements/doctor.txt"
        raise LoginError("login", "Google's client library is not installed", install) from None
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        credentials.refresh(Request())
    except GoogleAuthError as error:
        first = excerpt(str(error).splitlines()[0], 120) if str(error) else type(error).__name__
        if isinstance(error, TransportError) or isinstance(error.__cause__, TransportError):
            fix = "see whether this machine reaches https://oauth2.googleapis.com, by HTTPS_PROXY where it must"
            raise LoginError("network", f"Google does not answer: {first}", fix) from None
        raise LoginError("login", f"no login: {first}", "gcloud auth application-default login") from None
    return GoogleApis(AuthorizedSession(credentials))
