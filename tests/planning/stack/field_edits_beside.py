"""Edits of where weights come from, and of alerts."""

from tests.planning.stack.field_edit import FieldEdit, one

W = "workloads.qwen"
POLICIES = {"via": "policies"}
CHANNEL = {"notificationChannels": ["projects/my-project/notificationChannels/1"]}
PROMISES = {"firstTokenSeconds": 1, "interTokenSeconds": 0.2, "within": 0.99, "errors": 0.05, "queue": 9}
BUCKET = {"kind": "bucket", "uri": "gs://models/qwen"}
CLAIM = {"kind": "claim", "claim": "models"}
DISK = {"kind": "hyperdisk"}

SOURCES = [
    one("workloads.*.model.source.kind", f"{W}.model.source", None, CLAIM),
    one("workloads.*.model.source.uri", f"{W}.model.source", BUCKET, {**BUCKET, "uri": "gs://other/m"}),
    one("workloads.*.model.source.reader", f"{W}.model.source", BUCKET, {**BUCKET, "reader": "streamer"}),
    one("workloads.*.model.source.cache", f"{W}.model.source", BUCKET, {**BUCKET, "cache": "memory"}),
    one("workloads.*.model.source.manageAccess", f"{W}.model.source", BUCKET, {**BUCKET, "manageAccess": False}),
    one("workloads.*.model.source.claim", f"{W}.model.source", CLAIM, {**CLAIM, "claim": "other"}),
    one("workloads.*.model.source.path", f"{W}.model.source", CLAIM, {**CLAIM, "path": "m"}),
    one("workloads.*.model.source.access", f"{W}.model.source", CLAIM, {**CLAIM, "access": "ReadWriteOnce"}),
    one("workloads.*.model.source.sizeGb", f"{W}.model.source", DISK, {**DISK, "sizeGb": 50}, "one zone"),
    one(
        "workloads.*.model.source.throughputMibps",
        f"{W}.model.source",
        DISK,
        {**DISK, "throughputMibps": 800},
        "one zone",
    ),
    one("workloads.*.compileCache.claim", f"{W}.compileCache", {"claim": "a"}, {"claim": "b"}),
    one("workloads.*.compileCache.path", f"{W}.compileCache", {"claim": "a"}, {"claim": "a", "path": "x"}),
]

ALERTS = [
    one("monitoring.alerts.via", "monitoring.alerts", {}, {"via": "policies"}),
    one("monitoring.alerts.notificationChannels", "monitoring.alerts", POLICIES, {**POLICIES, **CHANNEL}),
    one("monitoring.alerts.runbook", "monitoring.alerts", {}, {"runbook": "https://wiki.example.com/llm"}),
    *[
        one(f"monitoring.alerts.objectives.{key}", "monitoring.alerts", {}, {"objectives": {key: value}})
        for key, value in PROMISES.items()
    ],
    *[
        FieldEdit(f"workloads.*.objectives.{key}", {f"{W}.objectives": {key: value}}, {"monitoring.alerts": {}})
        for key, value in PROMISES.items()
    ],
]
