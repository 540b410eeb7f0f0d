"""Jobs done by several processes at once."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

Name = TypeVar("Name")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))  # a container or a batch system may lend fewer cores than there are
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread: where processes share the cores already, or were forked.

    Afterwards it has as many as before, which the user may have limited (``OMP_NUM_THREADS``).
    """
    import torch  # here, not above: not all processes need it

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def work_through(jobs: Mapping[Name, Callable[[], Result]], workers: int) -> Iterator[tuple[Name, Result]]:
    """Give each job's name and result as soon as it is done, in any order.

    What a job raises is raised here; the jobs not yet begun are then left undone.

    Args:
        jobs: by name; for more than one worker they can be pickled.
        workers: processes at most; 1 stays in this process and in the jobs' order.
    """
    count = min(workers, len(jobs))
    if count <= 1:
        for name, job in jobs.items():
            yield name, job()
        return
    with ProcessPoolExecutor(count) as pool:
        names = {pool.submit(job): name for name, job in jobs.items()}
        try:
            for future in as_completed(names):
                yield names[future], future.result()
        finally:
            # After a failure, or Ctrl-C, nobody waits for the rest of the cohort.
            pool.shutdown(cancel_futures=True)
