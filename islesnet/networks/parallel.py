"""Networks that several processes train together."""

from typing import Any

from torch.nn.parallel import DistributedDataParallel


def unwrapped(value: Any) -> Any:
    """Give the network itself where `DistributedDataParallel` holds it; anything else as it is."""
    return value.module if isinstance(value, DistributedDataParallel) else value
