"""Command lines of the control plane's processes."""

from pathlib import Path

from l4serve.config.frozen import frozen
from l4serve.sandbox.certificates import ADMIN, Certificates
from l4serve.sandbox.paths import STAGES

LOOPBACK = "127.0.0.1"
SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.64.0.0/14"
_LEASE_SECONDS = 40
"""What a kubelet uses; KWOK renews the leases of fake nodes that often."""


@frozen(kw_only=True)
class Ports:
    """Loopback ports of one sandbox."""

    etcd: int
    etcd_peer: int
    api: int


@frozen(kw_only=True)
class Layout:
    """Where one sandbox keeps its files."""

    binaries: Path
    folder: Path
    certificates: Certificates
    ports: Ports

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{LOOPBACK}:{self.ports.api}"

    def kubeconfig(self, user: str) -> Path:
        """Kubeconfig of one of the sandbox's users; the administrator's is the person's own."""
        return self.folder / ("kubeconfig" if user == ADMIN else f"{user}.kubeconfig")


def etcd(layout: Layout) -> list[str]:
    """etcd for one member, with client certificates demanded on both of its ports."""
    trust, pair = layout.certificates.authority, layout.certificates.pair("server")
    client = f"https://{LOOPBACK}:{layout.ports.etcd}"
    peer = f"https://{LOOPBACK}:{layout.ports.etcd_peer}"
    return [
        str(layout.binaries / "etcd"),
        "--name=sandbox",
        f"--data-dir={layout.folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=sandbox={peer}",
        *(f"--{scope}trusted-ca-file={trust}" for scope in ("", "peer-")),
        *(f"--{scope}cert-file={pair.certificate}" for scope in ("", "peer-")),
        *(f"--{scope}key-file={pair.key}" for scope in ("", "peer-")),
        "--client-cert-auth=true",
        "--peer-client-cert-auth=true",
        "--unsafe-no-fsync=true",
        "--log-level=warn",
    ]


def api_server(layout: Layout) -> list[str]:
    """kube-apiserver with RBAC, no anonymous requests and client certificates for every user.

    No endpoint reconciler: it refuses a loopback address for the `kubernetes` Service.
    """
    trust, pair = layout.certificates.authority, layout.certificates.pair("server")
    signing_key = layout.certificates.service_accounts
    return [
        str(layout.binaries / "kube-apiserver"),
        f"--etcd-servers=https://{LOOPBACK}:{layout.ports.etcd}",
        f"--etcd-cafile={trust}",
        f"--etcd-certfile={pair.certificate}",
        f"--etcd-keyfile={pair.key}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={layout.ports.api}",
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={pair.certificate}",
        f"--tls-private-key-file={pair.key}",
        f"--client-ca-file={trust}",
        "--authorization-mode=RBAC",
        "--anonymous-auth=false",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={signing_key}",
        f"--service-account-key-file={signing_key}",
        "--profiling=false",
    ]


def controller_manager(layout: Layout) -> list[str]:
    """kube-controller-manager, whose controllers act as service accounts under RBAC.

    Each fetches a token first: at the default of 20 calls a second that alone took 5 of the start's 10 seconds.
    """
    return [
        str(layout.binaries / "kube-controller-manager"),
        f"--kubeconfig={layout.kubeconfig('controller-manager')}",
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials=true",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        f"--root-ca-file={layout.certificates.authority}",
        f"--service-account-private-key-file={layout.certificates.service_accounts}",
        "--profiling=false",
    ]


def scheduler(layout: Layout) -> list[str]:
    """kube-scheduler with its default profile: the one that decides on GKE too."""
    return [
        str(layout.binaries / "kube-scheduler"),
        f"--kubeconfig={layout.kubeconfig('scheduler')}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]


def kwok(layout: Layout) -> list[str]:
    """KWOK, the kubelet of every node: all nodes of a sandbox are fakes."""
    return [
        str(layout.binaries / "kwok"),
        f"--kubeconfig={layout.kubeconfig('kwok')}",
        *(f"--config={stage}" for stage in sorted(STAGES.glob("*.yaml"))),
        "--manage-all-nodes=true",
        f"--node-lease-duration-seconds={_LEASE_SECONDS}",
        f"--cidr={POD_RANGE}",
        f"--node-ip={LOOPBACK}",
    ]
