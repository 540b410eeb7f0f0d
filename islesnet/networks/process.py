"""What a process takes of its machine: the device it computes on, and the memory it keeps."""

import ctypes
import os

import torch

from islesnet.errors import InputError

# glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def device_of_this_process() -> torch.device:
    """Give the GPU that torchrun means this process to have, made current, or the CPU where there are none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def keep_freed_memory() -> bool:
    """Let this process keep the memory that its tensors free, instead of handing it back to the system each time.

    A training step on a CPU allocates and frees gigabytes; glibc returns large blocks at once, and every step pays
    for fetching each page anew.

    Returns:
        whether the C library took the settings: glibc does, others go on as they were.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return False
    return bool(libc.mallopt(M_MMAP_MAX, 0) and libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1))


def require_device(device: torch.device | str) -> None:
    """Refuse a device that PyTorch does not know, or that this machine does not have.

    Raises:
        InputError: naming what was given and what would be right.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError, ValueError) as error:  # as unlike as what can be wrong
        known = "cpu, cuda or cuda:0" if torch.cuda.is_available() else "cpu (PyTorch finds no GPU here)"
        raise InputError(f"device is {str(device)!r}, which cannot be used; it can be {known}.") from error
