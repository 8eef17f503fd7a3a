"""What `advise` does with a stack: the guide's checklist for its workloads, and the winner's edit in its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from l4serve.advising.answer import Answer
from l4serve.advising.budget import whole_edit
from l4serve.advising.checklist import Item, checklist
from l4serve.advising.ranking import Wish
from l4serve.advising.stack_advice import write_advice
from l4serve.advising.trial import Planner, Trial
from l4serve.cli.project import project_root
from l4serve.cli.shell.json_form import json_form
from l4serve.cli.shell.messages import refuse_input, stderr
from l4serve.cli.shell.output import SafeConsole, print_json
from l4serve.cli.shell.whole_file import replace_file
from l4serve.cli.subjects.stack_options import load_plan, named_workloads, one_workload, root_to_write, valid_stack_name
from l4serve.config.frozen import frozen
from l4serve.config.stack_file import read_stack_text
from l4serve.planning.memory.remedies import written_edit
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.workload.judgement.prospect import MOST_TOLD
from l4serve.planning.workload.workload_plan import WorkloadPlan


@frozen()
class StackQuestion:
    """Which stack and workload a question is about, and whether its file gets the answer."""

    stack: str | None
    file: Path | None
    write: str | None
    workload: str | None
    model: str | None

    @property
    def named(self) -> bool:
        """Whether the question is about a stack at all."""
        return bool(self.stack or self.file or self.write)

    @property
    def path(self) -> Path:
        """The stack's file."""
        name = self.write or self.stack
        return self.file or project_root() / f"Pulumi.{valid_stack_name(str(name))}.yaml"

    @property
    def text(self) -> str:
        """What the stack's file says."""
        return self.path.resolve().read_bytes().decode("utf-8")

    def planner(self, plan: StackPlan) -> Planner:
        """Who plans an edited text of the file as its own plan was made."""
        path = self.path.resolve()
        return lambda edited: plan_stack(read_stack_text(edited.encode(), path, name=plan.stack))

    def plan(self) -> StackPlan:
        """The stack's plan; exits 2 where it is refused, or where its file is to be written and is not the user's."""
        if self.write and not self.path.resolve().is_relative_to(root_to_write("the edit").resolve()):
            raise refuse_input(
                f"{self.path} is a link to a file outside the project, which is not written; name a stack whose file "
                "lies in the project"
            )
        return load_plan(self.write or self.stack, self.file if not self.write and not self.stack else None)

    def chosen(self, plan: StackPlan) -> WorkloadPlan:
        """The workload that is meant; exits 2 where none or several are."""
        return one_workload(plan, self.workload, self.model)


def review(asked: StackQuestion, *, as_json: bool) -> None:
    """Prints the guide's checklist for the workloads of a stack."""
    plan = asked.plan()
    chosen = named_workloads(plan, asked.workload)
    if len(chosen) > MOST_TOLD:
        raise refuse_input(f"{len(chosen)} workloads are more than the {MOST_TOLD} of one review; name one: --workload")
    paid = {pool.name: pool.supply.provisioning for pool in plan.node_pools}
    trial = Trial(text=asked.text, plan=plan, planner=asked.planner(plan))
    found = {w.name: checklist(w, paid.get(str(w.placing.packed_on), "on-demand"), trial) for w in chosen}
    if as_json:
        print_json(
            {"stack": plan.stack, "workloads": {name: [_item(i) for i in items] for name, items in found.items()}}
        )
        return
    console = SafeConsole()
    for name, items in found.items():
        console.print(_table(name, items))


def _item(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = json_form(item)
    return found


def _table(name: str, items: tuple[Item, ...]) -> Table:
    table = Table(title=name, title_justify="left", show_lines=True)
    for column in ("for", "item", "status"):
        table.add_column(column)
    table.add_column("what", overflow="fold")
    for item in items:
        edit = written_edit(item.edit)
        gain = "" if item.gain is None else f"{edit}\n{100 * item.gain:+.0f} %; "
        quality = f"; quality {item.quality}" if item.quality else ""
        table.add_row(item.goal, item.item, item.status, f"{gain}{item.text}{quality}")
    return table


def advise_stack(asked: StackQuestion, wish: Wish) -> Answer:
    """The best for a workload of a stack on its own machine, as the whole stack plans it; with `write` the stack's file
    has the edit afterwards."""
    plan = asked.plan()
    workload = asked.chosen(plan)
    path, text = asked.path.resolve(), asked.text
    written = write_advice(text, workload, wish, asked.planner(plan))
    if asked.write is not None and written.answer.winner is not None and written.text != text:
        try:
            replace_file(path, written.text.encode())
        except OSError as error:
            raise refuse_input(f"{path}: {error.strerror}; the edit is not written, let the file be written") from None
        edit = written_edit(whole_edit(written.answer.winner.candidate, wish))
        stderr.print(f"{path.name} has the edit ({edit}); l4serve diff or pulumi preview shows what it changes")
    elif asked.write is not None and written.answer.winner is not None:
        stderr.print(f"{path.name} stays as it is: no better edit of it is known that its stack takes")
    return written.answer
