"""Published scores on ISLES 2015 SISS, and on other data where they are often set beside it: whose data, which rule."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from islesnet.counts import counted
from islesnet.report.wording import number_or_nan, say


@dataclass(frozen=True)
class ComparisonRow:
    """A system's scores with what they mean; shares from 0 to 1, None where not given.

    Args:
        system: its name.
        dice: mean Dice, unless `rule` says otherwise.
        accuracy: of the voxels.
        precision: as the source defines it; `rule` says how.
        data: on which patients it was scored.
        rule: how it was scored.
        source: where it is published.
        is_siss: scored on ISLES 2015 SISS; None where that is not known.
        is_ours: scored here.
        low: lower end of the 95 % interval of the Dice, where there are patients enough for one.
        high: upper end.
    """

    system: str
    dice: float | None
    accuracy: float | None
    precision: float | None
    data: str
    rule: str
    source: str
    is_siss: bool | None = True
    is_ours: bool = False
    low: float | None = None
    high: float | None = None


_ABOUDI = "Aboudi, Drissi, Kraiem, IJCSNS 22(11), 2022, doi 10.22937/IJCSNS.2022.22.11.67"
_MAIER = "Maier et al., Med Image Anal 35, 2017, doi 10.1016/j.media.2016.07.009"
_KAMNITSAS = "Kamnitsas et al., Med Image Anal 36, 2017, doi 10.1016/j.media.2016.10.004"

_FOLDS = "mean over patients, 3D, 5-fold cross-validation"

# Tables I and II of the paper that the project implements, in its order.
PAPER_ROWS = (
    ComparisonRow(
        "Zhang 2018, 3D FC-DenseNet",
        dice=0.7913,
        accuracy=None,
        precision=0.9267,
        data="private DWI, 242 patients: not SISS",
        rule="90 test patients; the precision counts lesions, not voxels",
        source="Zhang et al., IEEE Trans Med Imaging 37(9), 2018, doi 10.1109/TMI.2018.2821244",
        is_siss=False,
    ),
    ComparisonRow(
        "Liu 2020, MK-DCNN",
        dice=0.57,
        accuracy=None,
        precision=None,
        data="SISS",
        rule="as Aboudi 2022 quotes it; the rule is not given",
        source=f"quoted in {_ABOUDI}",
    ),
    ComparisonRow(
        "Zhang 2020, MI-UNet",
        dice=0.5672,
        accuracy=None,
        precision=0.6545,
        data="chronic stroke, T1 alone: not SISS",
        rule="lesions months old on T1 are another task",
        source="Zhang et al., IEEE J Biomed Health Inform 25(2), 2021, doi 10.1109/JBHI.2020.2996783",
        is_siss=False,
    ),
    ComparisonRow(
        "Kumar 2020, CSNet",
        dice=0.63,
        accuracy=None,
        precision=0.74,
        data="SISS",
        rule="as Aboudi 2022 quotes it; the rule is not given",
        source="Kumar et al., Comput Methods Programs Biomed 193, 2020, doi 10.1016/j.cmpb.2020.105524",
    ),
    ComparisonRow(
        "Aboudi 2022, ResNet50-UNet",
        dice=0.6414,
        accuracy=0.9943,
        precision=0.9955,
        data="SISS, 70/20/10 %, of what is not said",
        rule="not said whether patients or slices were split, and whether the Dice is pooled; a lesion-class precision "
        "of 0.9955 beside this Dice would mean a sensitivity of 0.473: micro-averaged, precision is the accuracy",
        source=_ABOUDI,
    ),
)

# What the paper does not show: other scores on SISS, a second observer, and one external validation.
OTHER_ROWS = (
    ComparisonRow("DeepMedic", 0.64, None, None, "SISS, 28 training patients", _FOLDS, _KAMNITSAS),
    ComparisonRow("DeepMedic + CRF", 0.66, None, None, "SISS, 28 training patients", _FOLDS, _KAMNITSAS),
    ComparisonRow(
        "DeepMedic ensemble + CRF, rank 1",
        dice=0.59,
        accuracy=None,
        precision=None,
        data="SISS, 36 test patients",
        rule="mean over patients, 3D, hidden truth; ranks 2 and 3 had 0.55 and 0.47",
        source=_MAIER,
    ),
    ComparisonRow(
        "A second observer",
        dice=0.70,
        accuracy=None,
        precision=None,
        data="SISS, 36 test patients",
        rule="mean over patients, one expert against another",
        source=_MAIER,
    ),
    ComparisonRow(
        "Res-UNet, vote of three axes",
        dice=0.805,
        accuracy=0.7403,
        precision=None,
        data="SISS, part of the 28 patients",
        rule="3D; what the accuracy is, is not said: an empty mask has more",
        source="Chowdhury and Rahman, 2025, arXiv 2511.07281",
    ),
    ComparisonRow(
        "Multi-path residual U-Net",
        dice=0.89,
        accuracy=None,
        precision=None,
        data="SISS, 5 test patients, FLAIR",
        rule="18/5/5 patients for training, validation, test; 0.85 on the validation's five",
        source="Sci Rep 2025, doi 10.1038/s41598-025-17337-y",
    ),
    ComparisonRow(
        "DeepISLES",
        dice=0.82,
        accuracy=None,
        precision=None,
        data="1685 external DWI + ADC: not SISS",
        rule="median over patients, not the mean",
        source="de la Rosa et al., Nat Commun 2025, doi 10.1038/s41467-025-62373-x",
        is_siss=False,
    ),
)


def own_row(
    system: str, summary: Mapping[str, Any], data: str, is_siss: bool | None = None, rule: str = "3D, native grid"
) -> ComparisonRow:
    """Make the row of a system scored here, its accuracy and precision micro-averaged as the paper's.

    Args:
        system: its name.
        summary: of `islesnet.metrics.summarize`.
        data: on which patients.
        is_siss: the patients are those of ISLES 2015 SISS; where that is not known, None, the row says so.
        rule: what is to be said beyond that the Dice is the mean over patients.
    """
    dice, pooled = summary["measures"]["dice"], summary["pooled"]
    return ComparisonRow(
        system=system,
        dice=_known(dice["mean"]),
        accuracy=_known(pooled["accuracy"]),
        precision=_known(pooled["micro_precision"]),
        data=f"{data}; whether SISS is not known" if is_siss is None else data,
        rule=f"mean over {counted(summary['patients'], 'patient')}, {rule}; accuracy and precision micro-averaged "
        f"(lesion class: {say(pooled['precision'])})",
        source="this report",
        is_siss=is_siss,
        is_ours=True,
        low=_known(dice["low"]),
        high=_known(dice["high"]),
    )


def _known(value: object) -> float | None:
    number = number_or_nan(value)
    return None if math.isnan(number) else number
