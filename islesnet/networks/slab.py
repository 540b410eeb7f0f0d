"""SlabNetwork: 2.5D inside, 3D outside."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import pad


class SlabNetwork(nn.Module):
    """Run a 2D network on every axial slice of a volume, each seen together with its neighbours.

    From outside a 3D network; inside, every slice and its ``context`` neighbours on each side become the channels
    of a 2D image: channel ``c * (2 * context + 1) + context + offset`` is sequence ``c`` at ``offset`` slices.
    Neighbours beyond the ends repeat the end slice.

    Args:
        network: a 2D network on ``C * (2 * context + 1)`` channels that keeps the image's size.
        context: neighbours on each side; 0 is plain 2D.
        stride: in-plane sizes are padded (by repeating the border) to a multiple of it, and the result cropped,
            so that every size is legal and the levels of the network stay aligned; 32 for five halvings.
        chunk: slices that pass the network at once in evaluation mode, which bounds the memory whatever the
            depth. In training all slices form one batch, as batch normalisation needs.
        spacing: mm of the voxels it is trained on. Kept among the weights as ``spacing_mm``, so that inference works on
            them (`trained_spacing`) and another grid is refused (`require_weights`); the network itself ignores it.

    Shapes:
        ``(B, C, X, Y, Z)`` -> ``(B, K, X, Y, Z)``, Z across slices.

    Raises:
        ValueError: for a negative context, or a chunk or stride below 1.
    """

    def __init__(
        self,
        network: nn.Module,
        context: int = 1,
        stride: int = 32,
        chunk: int = 8,
        spacing: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if context < 0 or stride < 1 or chunk < 1:
            raise ValueError(
                f"context {context}, stride {stride} and chunk {chunk}: context is 0 or more, the others 1 or more."
            )
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 2x faster on a CPU
        self.context = context
        self.stride = stride
        self.chunk = chunk
        if spacing is not None:
            self.register_buffer("spacing_mm", torch.tensor([float(length) for length in spacing]))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Segment a volume slice by slice."""
        batch, depth = image.shape[0], image.shape[4]
        chunk = depth if self.training else max(1, self.chunk // batch)
        # A chunk at a time, from the fold to the result: the unfolded whole never exists.
        pieces = [self._segment_slices(image, first, min(first + chunk, depth)) for first in range(0, depth, chunk)]
        return torch.cat(pieces, dim=4) if len(pieces) > 1 else pieces[0]

    def _segment_slices(self, image: torch.Tensor, first: int, last: int) -> torch.Tensor:
        batch, channels, width, height, depth = image.shape
        offsets = torch.arange(-self.context, self.context + 1, device=image.device)
        here = torch.arange(first, last, device=image.device)
        neighbours = (here[:, None] + offsets[None, :]).clamp(0, depth - 1)
        slabs = image.index_select(4, neighbours.flatten())
        slabs = slabs.reshape(batch, channels, width, height, last - first, 2 * self.context + 1)
        # (B, C, X, Y, z, 2k+1) -> (B*z, C*(2k+1), X, Y)
        slabs = slabs.permute(0, 4, 1, 5, 2, 3).reshape(batch * (last - first), -1, width, height)
        logits = self._segment_padded(slabs.contiguous(memory_format=torch.channels_last))
        # (B*z, K, X, Y) -> (B, K, X, Y, z)
        return logits.reshape(batch, last - first, -1, width, height).permute(0, 2, 3, 4, 1)

    def _segment_padded(self, slices: torch.Tensor) -> torch.Tensor:
        width, height = slices.shape[2], slices.shape[3]
        missing_width, missing_height = -width % self.stride, -height % self.stride
        if missing_width > 0 or missing_height > 0:
            slices = pad(slices, [0, missing_height, 0, missing_width], mode="replicate")
        logits: torch.Tensor = self.network(slices)
        return logits[:, :, :width, :height]
