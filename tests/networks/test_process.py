import pytest
import torch

from islesnet.errors import InputError
from islesnet.networks import device_of_this_process, keep_freed_memory, require_device


def test_without_a_gpu_a_process_has_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of_this_process() == torch.device("cpu")


def test_a_process_has_and_makes_current_the_gpu_of_its_local_rank(monkeypatch):
    current = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert device_of_this_process() == torch.device("cuda", 1)
    assert current == [torch.device("cuda", 1)]
    monkeypatch.delenv("LOCAL_RANK")
    assert device_of_this_process() == torch.device("cuda", 0)


def test_keeping_freed_memory_says_whether_the_c_library_took_it(monkeypatch):
    def no_glibc(name):
        raise OSError(name)

    monkeypatch.setattr("islesnet.networks.process.ctypes.CDLL", no_glibc)

    assert keep_freed_memory() is False


def test_device_that_cannot_be_used_is_refused_by_name():
    require_device("cpu")
    require_device(torch.device("cpu"))

    with pytest.raises(InputError, match="device is 'gpu', which cannot be used; it can be cpu"):
        require_device("gpu")
    with pytest.raises(InputError, match="device is 'cuda:99'"):
        require_device(torch.device("cuda", 99))
