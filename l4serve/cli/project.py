"""Where the project is, and which stacks it has."""

from pathlib import Path


def stack_names(root: Path) -> tuple[str, ...]:
    """The stacks of a project, by their files, sorted."""
    return tuple(sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in root.glob("Pulumi.*.yaml")))


def project_root() -> Path:
    """The folder of the project: the nearest one at or above the working directory with its Pulumi.yaml."""
    here = Path.cwd()
    found = next((d for d in (here, *here.parents) if (d / "Pulumi.yaml").is_file() and (d / "stacks").is_dir()), None)
    return found or Path(__file__).resolve().parents[2]


def stack_folder() -> Path:
    """The nearest folder at or above the working directory that holds stack files, else the project's."""
    here = Path.cwd()
    return next((d for d in (here, *here.parents) if any(d.glob("Pulumi.*.yaml"))), None) or project_root()
