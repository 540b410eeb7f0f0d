"""Benchmarks, one subject in each file; `__main__` starts the one that is named."""
