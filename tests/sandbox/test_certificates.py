"""Certificates and kubeconfigs that only their owner may read."""

import base64
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from l4serve.sandbox.admin_kubeconfig import write_kubeconfig
from l4serve.sandbox.certificates import ADMIN, USERS, Certificates, issue_certificates, write_private


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue_certificates(tmp_path_factory.mktemp("sandbox") / "pki")


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize("name", ["server", *USERS])
def test_every_certificate_is_signed_by_the_sandboxs_own_authority(certificates: Certificates, name: str) -> None:
    load(certificates.pair(name).certificate).verify_directly_issued_by(load(certificates.authority))


def test_users_are_who_kubernetes_takes_them_for(certificates: Certificates) -> None:
    scheduler = load(certificates.pair("scheduler").certificate).subject
    admin = load(certificates.pair(ADMIN).certificate).subject
    assert scheduler.rfc4514_string() == "CN=system:kube-scheduler"
    assert admin.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:masters"


def test_only_the_server_may_serve_and_only_on_loopback(certificates: Certificates) -> None:
    server = load(certificates.pair("server").certificate)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    usage = load(certificates.pair(ADMIN).certificate).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_nobody_else_may_read_any_of_it(certificates: Certificates) -> None:
    files = list(certificates.folder.iterdir())
    assert len(files) == 2 + 2 * (1 + len(USERS))
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(certificates.folder.stat().st_mode) == 0o700


def test_a_kubeconfig_is_private_and_needs_no_other_file(certificates: Certificates, tmp_path: Path) -> None:
    path, user = tmp_path / "kubeconfig", certificates.pair(ADMIN)
    write_kubeconfig(path, "https://127.0.0.1:6443", certificates.authority, user)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert document["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(document["users"][0]["user"]["client-key-data"]) == user.key.read_bytes()


def test_a_private_file_is_never_written_over_another(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"first")
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"
