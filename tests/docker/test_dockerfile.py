"""The image is made from what the repository holds, by the Makefile's steps."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()


def test_image_is_installed_by_the_steps_of_the_makefile():
    steps = re.findall(r"\$\(BIN\)/(python -m pip install .+)", (ROOT / "Makefile").read_text())
    assert len(steps) == 2
    for step in steps:
        # An image holds a copy of the package, without the tools of its developers.
        assert step.replace("$(TORCH_OPTIONS)", "$TORCH_OPTIONS").replace("-e '.[dev]'", ".") in DOCKERFILE


def test_all_that_the_dockerfile_copies_is_let_through_by_dockerignore():
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    lines = re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {source for line in lines for source in line.split()}
    assert copied <= admitted
    assert all((ROOT / source).exists() for source in copied)
