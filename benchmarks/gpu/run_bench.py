"""Runs the Job of `l4serve bench` on a machine without a kubelet, and keeps the log that its pod would have.

    python -m benchmarks.gpu.run_bench JOB.json LOG [--secret NAME/KEY=VALUE] [--env NAME=VALUE]

JOB.json is what `l4serve bench --json` renders. Its container gets its argv, environment, user and mounts on a
read-only root, as `run_pod.py` gives them to a server's. A folder at the root stands for the model that it names
(/Qwen/Qwen2.5-7B-Instruct), a line in /etc/hosts for the Service. Needs root.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.gpu.pod_process import start
from benchmarks.gpu.run_pod import pairs


def main() -> int:
    """Runs the container to its end, or to the Job's deadline; gives its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("--secret", action="append", default=[], metavar="NAME/KEY=VALUE")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="what the image would set")
    arguments = parser.parse_args()
    job = json.loads(arguments.job.read_text())
    pod = start(job, Path("/"), pairs(arguments.secret), pairs(arguments.env), arguments.log, files={})
    try:
        code = pod.wait(job["spec"]["activeDeadlineSeconds"])
    finally:
        pod.kill()
    return 124 if code is None else code


if __name__ == "__main__":
    sys.exit(main())
