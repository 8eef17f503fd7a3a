"""Puts the recipes into the package: the wheel that action and hooks install has one top-level name, l4serve."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithRecipes(build_py):
    """Copies stacks/recipes to l4serve/recipe_files; an editable install reads them where they lie."""

    def run(self) -> None:
        """Builds the package, then adds the recipes."""
        super().run()
        if not self.editable_mode:
            shutil.copytree("stacks/recipes", Path(self.build_lib) / "l4serve" / "recipe_files", dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithRecipes})
