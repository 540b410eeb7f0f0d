"""Who may import whom (ARCHITECTURE.md), read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import islesnet

PACKAGE = Path(islesnet.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_bundle" not in path.parts)

# Everyone may import these, and they import nothing but each other.
FOUNDATION = (
    "components",
    "counts",
    "errors",
    "failures",
    "files",
    "interruptions",
    "options",
    "processes",
    "quiet",
    "result_files",
    "sequences",
    "stamps",
    "volumes",
)
# Strangers to each other.
ROOMS = ("networks", "data", "transforms", "phantom", "scanner", "metrics")
# What stands above the rooms -> what it may import besides the foundation.
ABOVE = {
    "report": ROOMS,
    "provenance": ROOMS,
    "trust": ROOMS,
    "finished": (),
    "handlers": (*ROOMS, "report", "provenance", "trust"),
    "cohort": (*ROOMS, "report", "provenance", "handlers", "finished"),
    "patients": (*ROOMS, "report"),
    "segment": (*ROOMS, "report", "provenance", "handlers", "finished", "cohort", "patients"),
    "evaluation": (*ROOMS, "report", "provenance", "handlers"),
    "cli": (*ROOMS, "report", "provenance", "handlers", "finished", "cohort", "patients", "segment", "evaluation"),
    "__main__": ("cli",),
}


def part_of(path):
    """Name the part of the package that a file belongs to: a room, a module, or nothing for the package itself."""
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if part == "__init__" else part


def imports_of(path):
    """Give the full dotted name of everything a file imports, wherever in the file."""
    package = ["islesnet", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from islesnet import data` imports a part by its name.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def parts_imported(path):
    names = (name.split(".") for name in imports_of(path))
    return {name[1] for name in names if name[0] == "islesnet" and len(name) > 1 and name[1] != "__version__"}


def allowed(part):
    if part in FOUNDATION:
        return set(FOUNDATION)
    return {part, *FOUNDATION, *ABOVE.get(part, ())}


def ids(path):
    return str(path.relative_to(PACKAGE))


def test_every_part_of_the_package_has_its_place_in_the_order():
    assert {part_of(path) for path in MODULES} - {""} <= {*FOUNDATION, *ROOMS, *ABOVE}


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_imports_go_one_way(path):
    assert parts_imported(path) - allowed(part_of(path)) == set()


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_package_imports_no_workflow_and_no_test(path):
    assert {name.split(".")[0] for name in imports_of(path)} & {"workflows", "tests", "bundle", "pytest"} == set()


def test_rule_sees_every_kind_of_import(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    room = tmp_path / "networks"
    room.mkdir()
    path = room / "stranger.py"
    path.write_text(
        "import islesnet\nimport islesnet.data.case as c\nfrom islesnet import metrics, __version__\n"
        "from ..phantom import make_patient\nfrom . import slab\n"
        "def late():\n    from islesnet.transforms.save import SaveLesionsd\n"
    )
    assert part_of(path) == "networks"
    assert parts_imported(path) == {"data", "metrics", "phantom", "networks", "transforms"}


def calls_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) != "cli"], ids=ids)
def test_below_the_command_line_nothing_prints_asserts_or_exits(path):
    tree = ast.parse(path.read_text())
    unwanted = ("print", "sys.exit", "exit", "quit", "os._exit", "breakpoint")
    assert [f"line {line}: {name}" for line, name in calls_of(tree) if name in unwanted] == []
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)] == []


FRONTS = [path for path in MODULES if path.name == "__init__.py" and path.parent.parent == PACKAGE]


@pytest.mark.parametrize("path", FRONTS, ids=ids)
def test_public_names_of_a_room_are_what_its_front_imports(path):
    tree = ast.parse(path.read_text())
    imported = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    (public,) = (ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))
    assert sorted(public) == sorted(imported)


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_every_file_opens_with_one_sentence_that_says_its_subject(path):
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree)


def loaded_by(statement):
    """Name the top-level modules in a fresh process after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return set(ended.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import islesnet",
        "import islesnet.cli",
        "import islesnet.errors, islesnet.files, islesnet.processes, islesnet.sequences, islesnet.stamps",
    ],
)
def test_importing_package_or_command_line_loads_neither_torch_nor_monai(statement):
    assert loaded_by(statement) & {"torch", "monai", "ignite", "numpy", "nibabel", "SimpleITK", "scipy"} == set()


def test_importing_the_phantom_room_loads_neither_torch_nor_monai():
    assert loaded_by("import islesnet.phantom") & {"torch", "monai", "ignite"} == set()


def test_importing_the_data_room_loads_neither_torch_nor_monai_nor_simpleitk():
    assert loaded_by("import islesnet.data") & {"torch", "monai", "SimpleITK"} == set()
