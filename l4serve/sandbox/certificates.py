"""Certificates and keys of one sandbox: its own authority, valid for as long as a kept sandbox may live."""

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from l4serve.config.frozen import frozen

_LIFETIME = datetime.timedelta(days=365)
_CLOCK_SKEW = datetime.timedelta(minutes=5)
_SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


@frozen(kw_only=True)
class KeyPair:
    """A certificate and its private key, as PEM files that only their owner may read."""

    certificate: Path
    key: Path


@frozen()
class Certificates:
    """All that the control plane needs to trust itself and nobody else, as files of one folder."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Certificate of the authority that signed the others."""
        return self.folder / "ca.crt"

    @property
    def service_accounts(self) -> Path:
        """Private key that signs service account tokens."""
        return self.folder / "service-accounts.key"

    def pair(self, name: str) -> KeyPair:
        """Pair of `server` (serving on loopback, and etcd's clients) or of one of USERS."""
        return KeyPair(certificate=self.folder / f"{name}.crt", key=self.folder / f"{name}.key")


@frozen()
class User:
    """Who a client certificate stands for."""

    common_name: str
    group: str | None = None


ADMIN = "admin"
USERS = {
    ADMIN: User("l4serve", "system:masters"),
    "kwok": User("kwok", "system:masters"),
    "scheduler": User("system:kube-scheduler"),
    "controller-manager": User("system:kube-controller-manager"),
}


def issue_certificates(folder: Path) -> Certificates:
    """Make a new authority and every certificate of one sandbox in `folder`."""
    folder.mkdir(mode=0o700, parents=True)
    certificates = Certificates(folder)
    authority = _Authority()
    write_private(certificates.service_accounts, _key_pem(ec.generate_private_key(ec.SECP256R1())))
    write_private(certificates.authority, authority.certificate.public_bytes(serialization.Encoding.PEM))
    authority.issue(certificates.pair("server"), User("l4serve-sandbox"), serves=True)
    for name, user in USERS.items():
        authority.issue(certificates.pair(name), user)
    return certificates


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


class _Authority:
    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _distinguished_name("l4serve-sandbox-ca")
        builder = _builder(self._name, self._name, self._key.public_key())
        self.certificate = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(_authority_key(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def issue(self, pair: KeyPair, user: User, *, serves: bool = False) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH] + ([ExtendedKeyUsageOID.SERVER_AUTH] if serves else [])
        builder = (
            _builder(_distinguished_name(user.common_name, user.group), self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(_authority_key(self._key), critical=False)
        )
        if serves:
            addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            names = [x509.DNSName(server_name) for server_name in _SERVER_NAMES]
            builder = builder.add_extension(x509.SubjectAlternativeName([*addresses, *names]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        write_private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        write_private(pair.key, _key_pem(key))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority_key(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _distinguished_name(common_name: str, group: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if group:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """SEC 1 form: the API server takes no PKCS 8 for the key of service accounts."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
