"""Edits of the fields that guard pods: identity, Pod Security, network."""

from tests.planning.stack.field_edit import FieldEdit, at, one

W = "workloads.qwen"
GOOGLE = "llm-pods@my-project.iam.gserviceaccount.com"
PEERS = ({"namespace": "a"}, {"cidr": "10.1.0.0/16"})
OF_CONFIG = {"config": "chatKey"}
MANAGED = {"secretManager": {"secret": "chat"}}
BY_MANAGER = {"cluster.secretManager": True, f"{W}.apiKey": MANAGED}
DOOR = {"expose": {"to": "internet", "certificate": {"certificateManager": "one"}}}
NETWORK_DOOR = {"expose": {"to": "network"}}
GUARD_EDITS = [
    FieldEdit("workloads.*.service.tls.secret", {f"{W}.service.tls": {"secret": "tls"}}),
    FieldEdit("expose.to", {"expose.to": "network"}, DOOR),
    FieldEdit("expose.host", {"expose.host": "llm.example.com"}, DOOR),
    FieldEdit("expose.certificate.certificateManager", {"expose.certificate": {"certificateManager": "two"}}, DOOR),
    FieldEdit("expose.certificate.secret", {"expose.certificate": {"secret": "tls"}}, NETWORK_DOOR),
    FieldEdit("expose.address", {"expose.address": "mine"}, DOOR),
    FieldEdit("expose.reserveAddress", {"expose.reserveAddress": True}, DOOR),
    FieldEdit("expose.proxyOnlyCidr", {"expose.proxyOnlyCidr": "10.130.0.0/23"}, DOOR),
    FieldEdit("expose.makeProxyOnlySubnet", {"expose.makeProxyOnlySubnet": False}, DOOR),
    *[
        FieldEdit(f"workloads.*.expose.{key}", {f"{W}.expose.{key}": value}, DOOR)
        for key, value in {
            "enabled": False,
            "host": "chat.example.com",
            "path": "/chat",
            "paths": ["/v1/chat"],
            "timeoutSeconds": 600,
            "inferencePool": True,
        }.items()
    ],
    one("workloads.*.apiKey.config", f"{W}.apiKey", OF_CONFIG, {"config": "otherKey"}),
    one("workloads.*.apiKey.revision", f"{W}.apiKey", OF_CONFIG, {**OF_CONFIG, "revision": 2}),
    *[
        FieldEdit(f"workloads.*.apiKey.secretManager.{key}", {f"{W}.apiKey.secretManager.{key}": value}, BY_MANAGER)
        for key, value in {"secret": "other", "version": "2", "manageAccess": False}.items()
    ],
    *at(f"{W}.podSecurity", "workloads.*.podSecurity", level="baseline", user=9, home="/home/me", writable=["/cache"]),
    one("workloads.*.podSecurity.group", f"{W}.podSecurity", {"user": 9}, {"user": 9, "group": 8}),
    *at(f"{W}.serviceAccount", "workloads.*.serviceAccount", name="mine", buckets={"my-models": "read"}),
    FieldEdit("workloads.*.serviceAccount.googleAccount", {f"{W}.serviceAccount.googleAccount": GOOGLE}),
    FieldEdit("networkPolicy.enabled", {"networkPolicy.enabled": False}),
    *[
        one(f"networkPolicy.{side}[].{key}", f"networkPolicy.{side}", [PEERS[0]], [{**PEERS[key == "cidr"], **more}])
        for side, key, more in (
            ("from", "namespace", {"namespace": "b"}),
            ("from", "cidr", {}),
            ("to", "namespace", {"namespace": "b"}),
            ("to", "cidr", {}),
            ("to", "port", {"port": 3128}),
        )
    ],
]
