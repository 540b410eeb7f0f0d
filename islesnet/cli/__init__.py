"""The `islesnet` command: segment, evaluate, phantom, datalist, doctor; importing it loads only what its help needs."""

# The help lists the commands in this order.
# isort: off
from islesnet.cli.app import app, main
from islesnet.cli.segment import segment
from islesnet.cli.evaluate import evaluate
from islesnet.cli.datasets import datalist, doctor, phantom

__all__ = ["app", "datalist", "doctor", "evaluate", "main", "phantom", "segment"]
