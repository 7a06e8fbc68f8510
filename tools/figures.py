"""The size figures of the code, and whether they keep below the bars."""

import ast
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "app/agent_server": "tests/app",
    "app/graphs": "tests/app",
    "cli": "tests/cli",
    "client": "tests/client",
    "components": "tests/infra",
    "policy": "tests/policy",
}
FUNCTION_MEDIAN, FUNCTION_P90, FUNCTION_MAX = 10, 35, 80
MODULE_P90, MODULE_MAX = 300, 450
BROAD_PER_LINES = 1000
"""One broad `except` is allowed for each of so many lines, begun ones included."""

_BROAD = {"Exception", "BaseException"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Figures:
    """What was counted in one package."""

    modules: list[int]
    functions: list[int]
    annotated: int
    broad: int

    @property
    def lines(self) -> int:
        """Lines of all modules."""
        return sum(self.modules)

    def missed(self) -> Iterator[str]:
        """The bars that are not kept."""
        if not self.functions:
            return
        bars = (
            ("function median", median(self.functions), FUNCTION_MEDIAN),
            ("function p90", percentile(self.functions, 90), FUNCTION_P90),
            ("function max", max(self.functions), FUNCTION_MAX),
            ("module p90", percentile(self.modules, 90), MODULE_P90),
            ("module max", max(self.modules), MODULE_MAX),
            ("functions without return annotation", len(self.functions) - self.annotated, 0),
            ("broad excepts", self.broad, math.ceil(self.lines / BROAD_PER_LINES)),
        )
        yield from (f"{name} {found:g} > {bar}" for name, found, bar in bars if found > bar)


def percentile(values: Sequence[int], share: int) -> int:
    """The smallest value that so many per cent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def measure(modules: Sequence[Path]) -> Figures:
    """Count functions with their docstrings, and nested ones twice: once alone, once in their parent."""
    texts = [module.read_text() for module in modules]
    nodes = [node for text in texts for node in ast.walk(ast.parse(text))]
    functions = [node for node in nodes if isinstance(node, Function)]
    return Figures(
        modules=[text.count("\n") for text in texts],
        functions=[(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions],
        annotated=sum(node.returns is not None for node in functions),
        broad=sum(_is_broad(node) for node in nodes),
    )


def _is_broad(node: ast.AST) -> bool:
    """`except:`, `except Exception` and `suppress(Exception)`, alone or in a tuple."""
    if isinstance(node, ast.ExceptHandler):
        return node.type is None or _names_broad(node.type)
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return called == "suppress" and any(map(_names_broad, node.args))
    return False


def _names_broad(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple):
        return any(map(_names_broad, node.elts))
    return isinstance(node, ast.Name) and node.id in _BROAD


def modules_of(folder: Path) -> list[Path]:
    """Its Python files, in order, without those of an environment that is in it."""
    others = [found.parent for found in folder.rglob("pyvenv.cfg")]
    ours = (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)
    return [path for path in ours if not any(path.is_relative_to(other) for other in others)]


def _row(package: str, figures: Figures) -> str:
    functions, modules = figures.functions or [0], figures.modules or [0]
    share = 100 * figures.annotated / max(1, len(figures.functions))
    return (
        f"{package:<18}{figures.lines:>7} {len(figures.functions):>6}"
        f" {median(functions):>7g}/{percentile(functions, 90)}/{max(functions):<5}"
        f" {percentile(modules, 90):>6}/{max(modules):<5} {share:>6.1f} % {figures.broad:>6}"
    )


def report() -> int:
    """Print a row for each package; exit 1 when a bar is missed."""
    head = "package              lines  funcs  median/p90/max  module p90/max  annotated  broad excepts"
    rows, misses, lines = [head], [], 0
    for package in PACKAGES:
        figures = measure(modules_of(ROOT / package))
        lines += figures.lines
        rows.append(_row(package, figures))
        misses += [f"figures: {package}: {miss}" for miss in figures.missed()]
    tests = measure(modules_of(ROOT / "tests")).lines
    rows.append(f"tests / source: {tests} / {lines} = {tests / max(1, lines):.2f}")
    sys.stdout.write("\n".join([*rows, *misses, ""]))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(report())
