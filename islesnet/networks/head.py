"""The head: what the network's last channels mean, how they learn, and what they say before they have learnt."""

from monai.losses import DiceCELoss
from torch import nn

from islesnet.errors import InputError

# softmax: logits of background and lesion; sigmoid: the logit of lesion alone.
CHANNELS = {"softmax": 2, "sigmoid": 1}
UNTRAINED_LESION_LOGIT = -4.0


def head_channels(head: str) -> int:
    """Say how many channels a head has: 2 for a softmax over background and lesion, 1 for a sigmoid.

    Raises:
        InputError: for another head.
    """
    if head not in CHANNELS:
        raise InputError(f"head is {head!r}; it can be {' or '.join(CHANNELS)}.")
    return CHANNELS[head]


def lesion_loss(head: str, dice_weight: float = 1.0) -> DiceCELoss:
    """Make the loss that belongs to a head: Dice of the lesion, and cross-entropy, for a sigmoid its binary form.

    Dice is taken over the batch: most slabs of a small lesion's patient hold no lesion.

    Args:
        head: softmax or sigmoid.
        dice_weight: of Dice, beside a cross-entropy of weight 1; 0 leaves the cross-entropy alone.

    Shapes:
        logits ``(B, head_channels(head), *size)``, mask ``(B, 1, *size)`` -> a scalar.

    Raises:
        InputError: for an unknown head, or a negative weight.
    """
    if not dice_weight >= 0:
        raise InputError(f"dice_weight is {dice_weight}; it must be 0 or more.")
    # For a single channel MONAI's loss chooses the binary cross-entropy itself; background then has no channel.
    has_background = head_channels(head) == CHANNELS["softmax"]
    return DiceCELoss(
        include_background=not has_background,
        to_onehot_y=has_background,
        softmax=has_background,
        sigmoid=not has_background,
        batch=True,
        lambda_dice=dice_weight,
    )


def expect_few_lesions(network: nn.Module) -> nn.Module:
    """Let an untrained network call about 2 % of the voxels lesion, by the bias of its last convolution.

    Otherwise its first steps go into learning that lesions are rare (Lin et al., "Focal Loss for Dense Object
    Detection", ICCV 2017, section 3.3).

    Returns:
        the network itself.

    Raises:
        ValueError: where its last convolution has no bias.
    """
    *_, head = (module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Conv3d))
    if head.bias is None:
        raise ValueError(f"the last convolution of {type(network).__name__} has no bias.")
    nn.init.zeros_(head.bias)
    nn.init.constant_(head.bias[-1:], UNTRAINED_LESION_LOGIT)  # the lesion's channel, of one or of two
    return network
