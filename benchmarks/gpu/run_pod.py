"""Starts a rendered pod's container on a GPU machine without a kubelet, and watches what a user of it would see.

    python -m benchmarks.gpu.run_pod DEPLOYMENT.json MODEL_DIR OUT.json [--secret NAME/KEY=VALUE]
        [--file NAME/KEY=PATH] [--env NAME=VALUE]

DEPLOYMENT.json is what `l4serve render -f benchmarks/gpu/pods.yaml` writes of a workload, as JSON. The container gets
its argv, environment, user, groups, capabilities and mounts, on a root that is read-only where it says so. The
machine's own Python with vLLM stands in for the image, and MODEL_DIR, a folder with dummy weights, for the model. The
file's probes, preStop hook and grace are carried out as a kubelet does. Needs root.

A file `tls.crt` of a Secret is what clients trust; probes trust anything, as a kubelet's do.

What is written: when readiness first held and whether a token was served right then, what a request without the key
got, and how many of 20 streams ended whole when the pod was deleted in the middle of them.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import signal
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.gpu.pod_process import Pod, carried_out, start

STREAMS = 20
STREAM_TOKENS = 3500
"""Enough that every stream outlasts a preStop delay."""
START_SECONDS = 420
TRUST = ssl.create_default_context()


def holds(pod: Pod, probe: dict[str, Any]) -> bool:
    """Whether a probe of the manifest succeeds now."""
    timeout = probe.get("timeoutSeconds", 1)
    if "exec" in probe:
        return pod.execute(probe["exec"]["command"], timeout) == 0
    path, headers = probe["httpGet"].get("path", "/"), probe["httpGet"].get("httpHeaders", [])
    request = urllib.request.Request(pod.url + path, headers={h["name"]: h["value"] for h in headers})
    try:
        with urllib.request.urlopen(request, timeout=timeout, context=ssl._create_unverified_context()) as answer:
            return 200 <= int(answer.status) < 400
    except OSError:
        return False


def ask(pod: Pod, key: str | None, tokens: int, stream: bool) -> tuple[int, int, bool]:
    """Status, pieces of text and whether the end came, of one completion."""
    body = {
        "model": pod.served_model,
        "prompt": "w300 w301 w302",
        "max_tokens": tokens,
        "ignore_eos": True,
        "stream": stream,
    }
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(pod.url + "/v1/completions", json.dumps(body).encode(), headers)
    pieces, whole, status = 0, False, 0
    try:
        with urllib.request.urlopen(request, timeout=300, context=TRUST) as answer:
            status = int(answer.status)
            for line in answer:
                pieces += line.startswith(b"data: {") or not stream
                whole = whole or line.startswith(b"data: [DONE]")
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError as error:
        print(f"a request ended: {error}", flush=True)
    return status, pieces, whole or (not stream and status == 200)


def wait_until_ready(pod: Pod, probe: dict[str, Any], key: str | None) -> dict[str, Any]:
    """Waits for the readiness probe, asking for a token beside it; raises RuntimeError when the container ends."""
    began, first_token = time.monotonic(), None
    while time.monotonic() - began < START_SECONDS:
        if pod.ended is not None:
            raise RuntimeError(f"the container ended with {pod.ended}; its log: {pod.log}")
        served_before = ask(pod, key, 1, False)[2]
        if served_before and first_token is None:
            first_token = time.monotonic() - began
        if holds(pod, probe):
            served = ask(pod, key, 1, False)[2]
            return {
                "readySeconds": round(time.monotonic() - began, 1),
                "firstTokenSeconds": None if first_token is None else round(first_token, 1),
                "tokenServedWhenReady": served,
            }
        time.sleep(min(1.0, probe.get("periodSeconds", 10)))
    raise RuntimeError(f"not ready within {START_SECONDS} s; log: {pod.log}")


def delete_amid_streams(pod: Pod, key: str | None) -> dict[str, Any]:
    """Deletes the pod as a kubelet does while streams run: preStop, SIGTERM, and SIGKILL when the grace is over."""
    spec = pod.spec
    grace = spec.get("terminationGracePeriodSeconds", 30)
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        streams = [pool.submit(ask, pod, key, STREAM_TOKENS, True) for _ in range(STREAMS)]
        time.sleep(1.0)
        unfinished = sum(not stream.done() for stream in streams)
        began = time.monotonic()
        hook = pod.container.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            time.sleep(hook["sleep"]["seconds"])
        elif "exec" in hook:
            pod.execute(hook["exec"]["command"], grace)
        running_at_term = sum(not stream.done() for stream in streams)
        pod.signal(signal.SIGTERM)
        code = pod.wait(max(1.0, grace - (time.monotonic() - began)))
        took = time.monotonic() - began
        results = [stream.result() for stream in streams]
    return {
        "streams": STREAMS,
        "unfinishedAtDeletion": unfinished,
        "unfinishedAtSigterm": running_at_term,
        "whole": sum(whole for _, _, whole in results),
        "pieces": [pieces for _, pieces, _ in results],
        "exitCode": code,
        "secondsToEnd": round(took, 1),
        "graceSeconds": grace,
        "preStop": hook or None,
    }


def pairs(given: list[str]) -> dict[str, str]:
    """`NAME=VALUE` by name."""
    return dict(pair.split("=", 1) for pair in given)


def main() -> int:
    """Runs the whole; gives 1 when the container never got ready, else 0: what was seen is in the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deployment", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--secret", action="append", default=[], metavar="NAME/KEY=VALUE")
    parser.add_argument("--file", action="append", default=[], metavar="NAME/KEY=PATH", help="of a mounted Secret")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="what the image would set")
    arguments = parser.parse_args()
    secrets, env = pairs(arguments.secret), pairs(arguments.env)
    files = {name: Path(path) for name, path in pairs(arguments.file).items()}
    for name, path in files.items():
        if name.endswith("/tls.crt"):
            TRUST.load_verify_locations(path)
    deployment = json.loads(arguments.deployment.read_text())
    pod = start(deployment, arguments.model, secrets, env, arguments.out, files=files)
    key = next(iter(secrets.values()), None)
    found: dict[str, Any] = {"manifest": carried_out(pod.spec), "argv": pod.argv, "user": pod.user}
    found |= {"mounts": pod.mounts, "readOnlyRoot": pod.read_only, "url": pod.url}
    try:
        found |= wait_until_ready(pod, pod.container["readinessProbe"], key)
        found["withoutKey"], found["withKey"] = ask(pod, None, 1, False)[0], ask(pod, key, 1, False)[0]
        found["liveness"] = holds(pod, pod.container["livenessProbe"])
        found["deletion"] = delete_amid_streams(pod, key)
    except RuntimeError as error:
        found["error"] = str(error)
    finally:
        pod.kill()
    arguments.out.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps({k: v for k, v in found.items() if k not in ("argv", "manifest")}, indent=1))
    return 1 if "error" in found else 0


if __name__ == "__main__":
    sys.exit(main())
