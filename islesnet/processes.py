"""Jobs done by several processes at once."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Name = TypeVar("Name")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))  # a container or a batch system may lend fewer cores than there are
    return os.cpu_count() or 1


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
