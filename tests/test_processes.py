import os
from functools import partial

import pytest
import torch

from islesnet.errors import InputError
from islesnet.processes import one_thread, usable_cores, work_through


def refuse(name):
    raise InputError(f"{name} is refused")


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_every_result_comes_with_the_name_of_its_job(workers):
    jobs = {name: partial(pow, name, 2) for name in (3, 1, 2)}

    assert dict(work_through(jobs, workers)) == {1: 1, 2: 4, 3: 9}


def test_one_worker_stays_in_this_process_and_in_order():
    results = list(work_through(dict.fromkeys("cab", os.getpid), 1))

    assert results == [(name, os.getpid()) for name in "cab"]


def test_several_workers_are_other_processes():
    assert os.getpid() not in dict(work_through(dict.fromkeys("ab", os.getpid), 2)).values()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_job_raises_reaches_the_caller(workers):
    with pytest.raises(InputError, match="a is refused"):
        list(work_through({"a": partial(refuse, "a")} | dict.fromkeys("bcdef", os.getpid), workers))


def test_after_a_failure_the_next_job_is_not_begun():
    begun = []
    jobs = {"a": partial(refuse, "a"), "b": partial(begun.append, "b")}

    with pytest.raises(InputError):
        list(work_through(jobs, 1))

    assert begun == []


@pytest.mark.parametrize("workers", [1, 2])
def test_no_jobs_give_nothing(workers):
    assert list(work_through({}, workers)) == []


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5, 7}, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


def test_threads_are_as_many_as_before_whatever_happened_with_one(monkeypatch):
    counts = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", counts.append)

    with pytest.raises(InputError), one_thread():
        refuse("a")

    assert counts == [1, 3]
