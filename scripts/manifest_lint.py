"""What linters say of every stack's rendered manifests, held against the findings that are explained.

`python -m scripts.manifest_lint checkov PROGRAM` ends with 1 where a finding has no reason in data/manifest_lint.yaml,
or a reason no finding. kube-score is run by tests/sandbox/test_linters.py, which builds it.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from l4serve.cli.commands.render_command import render_stack
from l4serve.config.data_file import load_data
from l4serve.config.stack_file import read_stack_file
from l4serve.sandbox.go_modules import kubernetes_version

ROOT = Path(__file__).resolve().parent.parent
_KIND_OF_IMAGE = "app.kubernetes.io/name"
_GOOD_GRADE = 10
"""kube-score grades from 1 (critical) over 5 (warning) and 7 (almost) to 10 (all right)."""


@dataclass(frozen=True, order=True)
class Finding:
    """One rule of one linter that one object of a stack breaks."""

    tool: str
    rule: str
    stack: str
    kind: str
    name: str
    image: str
    """What the object's pods run, by their label: vllm, tgi, endpoint-picker, weights or nothing."""

    def __str__(self) -> str:
        return f"{self.tool} {self.rule}: {self.kind}/{self.name} of {self.stack}"


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A finding that stays, and why."""

    what: str
    rules: Mapping[str, str]
    """The rule of each linter that finds it, by the linter's name."""
    kinds: tuple[str, ...]
    images: tuple[str, ...]
    """What the pods run where it is found; empty is anything."""
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is this one."""
        return (
            self.rules.get(finding.tool) == finding.rule
            and finding.kind in self.kinds
            and (not self.images or finding.image in self.images)
        )


@cache
def explained() -> tuple[Explained, ...]:
    """The findings that stay."""
    rows = load_data(__file__, "manifest_lint.yaml")["findings"]
    return tuple(
        Explained(
            what=row["what"],
            rules=row["rules"],
            kinds=tuple(row["kinds"]),
            images=tuple(row.get("images", ())),
            reason=row["reason"],
        )
        for row in rows
    )


def table() -> str:
    """The explained findings as the table of docs/security.md."""
    lines = ["| finding | rules | of | why it stays |", "|---|---|---|---|"]
    for row in explained():
        rules = ", ".join(f"`{rule}`" for rule in row.rules.values())
        of = ", ".join(row.kinds) + (f" ({', '.join(row.images)})" if row.images else "")
        lines.append(f"| {row.what} | {rules} | {of} | {row.reason} |")
    return "\n".join(lines)


def judge(tool: str, findings: Iterable[Finding]) -> tuple[str, ...]:
    """A line for each finding without a reason, and for each reason of the tool that nothing needs any more."""
    found = sorted(set(findings))
    rows = [row for row in explained() if tool in row.rules]
    unexplained = [f"{each} has no reason" for each in found if not any(row.covers(each) for row in rows)]
    stale = [
        f"{tool} {row.rules[tool]}: found on no {kind}: remove it from the reason {row.what!r}"
        for row in rows
        for kind in row.kinds
        if not any(row.covers(each) and each.kind == kind for each in found)
    ]
    return (*unexplained, *stale)


def render_all(folder: Path) -> dict[str, dict[tuple[str, str], str]]:
    """Writes NAME.yaml into the folder for every stack and example; returns what runs in each (kind, name) of each."""
    images: dict[str, dict[tuple[str, str], str]] = {}
    for path in (*sorted(ROOT.glob("Pulumi.*.yaml")), *sorted((ROOT / "examples").glob("Pulumi.*.yaml"))):
        stack = path.name.split(".")[1]
        objects = [dict(each) for each in render_stack(read_stack_file(path)).objects]
        (folder / f"{stack}.yaml").write_text(yaml.safe_dump_all(objects, sort_keys=False), encoding="utf-8")
        images[stack] = {(each["kind"], each["metadata"]["name"]): _runs(each) for each in objects}
    return images


def _runs(manifest: Mapping[str, Any]) -> str:
    pods = manifest.get("spec", {}).get("template", {})
    labels: Mapping[str, str] = (pods.get("metadata") or manifest["metadata"]).get("labels", {})
    return labels.get(_KIND_OF_IMAGE, "")


def run_kube_score(program: Path, folder: Path, images: Mapping[str, Mapping[tuple[str, str], str]]) -> list[Finding]:
    """What kube-score's default checks find in the rendered stacks of a folder."""
    minor = ".".join(kubernetes_version().split(".")[:2])
    findings: list[Finding] = []
    for stack in images:
        command = [program, "score", "--output-format", "json", "--kubernetes-version", minor, folder / f"{stack}.yaml"]
        # It ends with 1 where it finds anything.
        said = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if said.returncode not in (0, 1):
            raise RuntimeError(f"kube-score ended with {said.returncode}: {said.stderr.strip()}")
        findings += read_kube_score(stack, json.loads(said.stdout), images[stack])
    return findings


def read_kube_score(
    stack: str, scored: Sequence[Mapping[str, Any]], images: Mapping[tuple[str, str], str]
) -> Iterator[Finding]:
    """The findings of kube-score's JSON: the checks that ran and were graded below all right."""
    for each in scored:
        kind, name = each["type_meta"]["kind"], each["object_meta"]["name"]
        for check in each["checks"] or ():
            if not check["skipped"] and check["grade"] < _GOOD_GRADE:
                yield Finding("kube-score", check["check"]["id"], stack, kind, name, images[kind, name])


def run_checkov(program: Path, folder: Path, images: Mapping[str, Mapping[tuple[str, str], str]]) -> list[Finding]:
    """What checkov's Kubernetes rules find in the rendered stacks of a folder; asks no service."""
    command = [program, "-d", folder, "--framework", "kubernetes", "--compact", "--skip-download", "-o", "json"]
    said = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if said.returncode not in (0, 1):
        raise RuntimeError(f"checkov ended with {said.returncode}: {said.stderr.strip()}")
    return list(read_checkov(json.loads(said.stdout), images))


def read_checkov(report: Mapping[str, Any], images: Mapping[str, Mapping[tuple[str, str], str]]) -> Iterator[Finding]:
    """The failed checks of checkov's JSON; a file that it could not parse is an error."""
    if report["summary"]["parsing_errors"] or report["summary"]["resource_count"] == 0:
        raise RuntimeError(f"checkov read {report['summary']}")
    for failed in report["results"]["failed_checks"]:
        stack = Path(failed["file_path"]).stem
        kind, _, name = failed["resource"].split(".", 2)
        yield Finding("checkov", failed["check_id"], stack, kind, name, images[stack][kind, name])


RUNNERS = {"kube-score": run_kube_score, "checkov": run_checkov}


def main(tool: str, program: str) -> int:
    """Lints every stack with one tool; the exit status."""
    with tempfile.TemporaryDirectory() as scratch:
        images = render_all(Path(scratch))
        findings = RUNNERS[tool](Path(program).resolve(), Path(scratch), images)
    wrong = judge(tool, findings)
    print(*wrong, f"{tool}: {len(set(findings))} findings in {len(images)} stacks, {len(wrong)} to mend", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in RUNNERS:
        sys.exit(f"usage: python -m scripts.manifest_lint {{{','.join(RUNNERS)}}} PROGRAM")
    sys.exit(main(sys.argv[1], sys.argv[2]))
