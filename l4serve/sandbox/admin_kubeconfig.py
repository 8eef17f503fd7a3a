"""Kubeconfig files and API clients of a sandbox."""

import base64
import http
import json
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException

from l4serve.sandbox.certificates import ADMIN, Certificates, KeyPair, write_private

CONTEXT = "l4serve-sandbox"


def write_kubeconfig(path: Path, server: str, authority: Path, user: KeyPair) -> None:
    """Write a kubeconfig that needs no other file, readable by its owner alone."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "clusters": [
            {"name": CONTEXT, "cluster": {"server": server, "certificate-authority-data": _base64(authority)}}
        ],
        "users": [
            {
                "name": CONTEXT,
                "user": {
                    "client-certificate-data": _base64(user.certificate),
                    "client-key-data": _base64(user.key),
                },
            }
        ],
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False).encode())


def api_client(server: str, certificates: Certificates) -> ApiClient:
    """The administrator's client, on the sandbox's own files: it would copy a kubeconfig's key to /tmp."""
    user = certificates.pair(ADMIN)
    configuration = Configuration()
    configuration.host = server
    configuration.ssl_ca_cert = str(certificates.authority)
    configuration.cert_file = str(user.certificate)
    configuration.key_file = str(user.key)
    configuration.proxy = None
    return ApiClient(configuration)


def read_json(client: ApiClient, path: str) -> Any:
    """What the API server answers to a GET of this path, as plain values. Raises ApiException where it refuses.

    The client's typed calls would load hundreds of models first, which takes longer than all calls of a start.
    """
    answer = client.call_api(*client.param_serialize("GET", path, header_params={"Accept": "application/json"}))
    content: bytes = answer.read()  # type: ignore[no-untyped-call]
    if answer.status != http.HTTPStatus.OK:
        raise ApiException.from_response(http_resp=answer, body=content.decode(), data=None)
    return json.loads(content)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
