"""The Pulumi program that belongs to this installation: the only one that a command ever runs."""

from pathlib import Path

from l4serve.cli.project import OWN_PROJECT
from l4serve.cli.shell.messages import refuse_input


def own_program() -> Path:
    """The program's main file; exits 2 where the package was installed without it."""
    main = OWN_PROJECT / "__main__.py"
    if not (main.is_file() and (OWN_PROJECT / "Pulumi.yaml").is_file()):
        raise refuse_input(
            f"{OWN_PROJECT} holds no Pulumi program to run, and those of other folders are not run"
            "\n    fix: use the l4serve of a clone of this project"
        )
    return main
