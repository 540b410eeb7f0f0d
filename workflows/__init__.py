"""Multi-step flows around the bundle: `python -m workflows.<verb>`."""
