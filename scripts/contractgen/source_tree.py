"""A Python source tree read as syntax: modules, the names they define, and where an imported name comes from."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Imported:
    """A name that a module takes from another one."""

    module: str
    name: str


Definition = ast.stmt | ast.expr | Imported


@dataclass(frozen=True)
class Named:
    """A name's definition together with the module that holds it."""

    module: "Module"
    name: str
    node: ast.stmt | ast.expr


@dataclass(frozen=True)
class Module:
    """One parsed file."""

    name: str
    path: Path
    is_package: bool
    tree: ast.Module = field(repr=False)

    @cached_property
    def runtime(self) -> dict[str, Definition]:
        """Names as they are bound when the program runs."""
        return dict(_definitions(self, self.tree.body, typing=False))

    @cached_property
    def stars(self) -> tuple[str, ...]:
        """Modules whose public names this one takes over by `import *`."""
        return tuple(
            _absolute(self, node)
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        )

    @cached_property
    def typing(self) -> dict[str, Definition]:
        """Names as a type checker sees them: the `if TYPE_CHECKING` side wins."""
        return dict(_definitions(self, self.tree.body, typing=True))


def _definitions(module: Module, body: list[ast.stmt], typing: bool) -> Iterator[tuple[str, Definition]]:
    for node in body:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                yield from _definitions(module, node.body if typing else node.orelse, typing)
            case ast.If() | ast.Try() | ast.With():
                yield from _definitions(module, node.body, typing)
            case ast.ImportFrom():
                source = _absolute(module, node)
                yield from ((alias.asname or alias.name, Imported(source, alias.name)) for alias in node.names)
            case ast.ClassDef() | ast.FunctionDef():
                yield node.name, node
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    keep = len(package) - node.level + (1 if module.is_package else 0)
    return ".".join([*package[:keep], *([node.module] if node.module else [])])


@lru_cache(maxsize=1024)
def _syntax(text: str) -> ast.Module:
    """A file's syntax; releases read one after another share most files."""
    return ast.parse(text)


class SourceTree:
    """All modules under one root directory, parsed when first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """The module of that dotted name, or None when the tree has none."""
        if name not in self._modules:
            self._modules[name] = self._parse(name)
        return self._modules[name]

    def _parse(self, name: str) -> Module | None:
        base = self.root.joinpath(*name.split("."))
        for path, is_package in ((base / "__init__.py", True), (base.with_suffix(".py"), False)):
            if path.is_file():
                return Module(name, path, is_package, _syntax(path.read_text(encoding="utf-8")))
        return None

    def modules_under(self, folder: str, containing: str) -> Iterator[Module]:
        """Every module below a folder whose text has that string, in the order of their paths."""
        for path in sorted((self.root / folder).rglob("*.py")):
            if containing not in path.read_text(encoding="utf-8"):
                continue
            parts = path.relative_to(self.root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if module := self.module(name):
                yield module

    def lookup(self, module: Module, name: str, typing: bool = False) -> Named | None:
        """The definition behind a name, followed through imports; None when it lies outside the tree."""
        definition = (module.typing if typing else module.runtime).get(name)
        if isinstance(definition, Imported):
            found = self.module(definition.module)
            return self.lookup(found, definition.name, typing) if found else None
        if definition is not None:
            return Named(module, name, definition)
        starred = (self.module(star) for star in module.stars)
        return next((named for other in starred if other and (named := self.lookup(other, name, typing))), None)
