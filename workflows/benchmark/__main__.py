"""Measure one subject, `python -m workflows.benchmark SUBJECT`, of those below; the bundle where none is named."""

import importlib
import sys

SUBJECTS = ("bundle", "registration", "brain_mask", "skull", "cohort")


def main(arguments: list[str]) -> int:
    """Hand the arguments to the subject named first."""
    subject, rest = (
        (arguments[0], arguments[1:]) if arguments[:1] and arguments[0] in SUBJECTS else ("bundle", arguments)
    )
    # Only what is measured is loaded: the bundle needs torch and MONAI, the others do not.
    code: int = importlib.import_module(f"workflows.benchmark.{subject}").main(rest)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
