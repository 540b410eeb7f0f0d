import pytest

from islesnet.errors import InputError
from workflows.machine import shares_of_machine


@pytest.mark.parametrize(
    ("cores", "at_once", "threads"), [(1, None, ["1"]), (2, None, ["1", "1"]), (9, None, ["4", "4"]), (2, 1, ["2"])]
)
def test_on_a_cpu_trainings_at_once_share_the_cores(monkeypatch, cores, at_once, threads):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("workflows.machine.usable_cores", lambda: cores)

    assert shares_of_machine(at_once) == [{"OMP_NUM_THREADS": count} for count in threads]


def test_each_gpu_that_may_be_used_has_one_training(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5,7")

    assert shares_of_machine() == [{"CUDA_VISIBLE_DEVICES": name} for name in ("2", "5", "7")]
    assert shares_of_machine(2) == [{"CUDA_VISIBLE_DEVICES": name} for name in ("2", "5")]


def test_less_than_one_training_at_once_is_refused():
    with pytest.raises(InputError, match="--at-once is 0: 1 or more"):
        shares_of_machine(0)
