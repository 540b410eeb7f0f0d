"""Start one of the benchmarks below: `python -m workflows.benchmark SUBJECT`; the bundle's where none is named."""

import importlib
import sys

SUBJECTS = ("bundle", "registration", "brain_mask", "skull", "cohort", "confidence")


def main(arguments: list[str]) -> int:
    """Give the arguments to the benchmark that the first of them names."""
    subject, rest = (
        (arguments[0], arguments[1:]) if arguments[:1] and arguments[0] in SUBJECTS else ("bundle", arguments)
    )
    # Only what is measured is loaded: the bundle needs torch and MONAI, the others do not.
    code: int = importlib.import_module(f"workflows.benchmark.{subject}").main(rest)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
