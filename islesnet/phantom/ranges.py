"""The ranges that synthetic patients are drawn from, in one table: like SISS, and as wide as clinics are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

Range = tuple[float, float]


def _wide(wide: Range, unit: str, source: str) -> Mapping[str, Any]:
    return {"wide": wide, "unit": unit, "source": source}


CHOICE = "our choice"  # no publication behind it: wider than what was seen on real scans


@dataclass(frozen=True)
class Ranges:
    """Lowest and highest value of each parameter; the defaults look like ISLES 2015 SISS, `WIDE` is for training.

    A parameter is drawn evenly between the two unless its own place says otherwise. One whose two values are equal
    is not drawn at all. `islesnet.phantom.ranges_table` shows all of them with unit and source.
    """

    # ---- anatomy
    rotation_deg: Range = field(
        default=(0, 8), metadata=_wide((0, 20), "degrees; the second limits nodding, the largest turn", CHOICE)
    )
    head_scale: Range = field(
        default=(0.86, 0.98),
        metadata=_wide(
            (0.80, 1.04),
            "of the MNI brain's size",
            "brain volumes of 975 to 1499 ml: Allen et al., Am J Phys Anthropol 118:341, 2002",
        ),
    )
    bend_sd_mm: Range = field(
        default=(3, 3), metadata=_wide((2.5, 4.5), "mm, standard deviation", "folds from 12.8: Choi and Lee, 2000")
    )
    ventricle_widening: Range = field(
        default=(0, 0.35), metadata=_wide((0, 0.45), "of the distance to their axis", CHOICE)
    )
    atrophy: Range = field(
        default=(0.8, 2.0), metadata=_wide((0.6, 3.2), "odds of fluid against the average brain's", CHOICE)
    )
    sulcal_variation: Range = field(
        default=(0, 0), metadata=_wide((0.3, 1.0), "log odds of fluid, standard deviation over 7 mm", CHOICE)
    )
    folding: Range = field(
        default=(0, 0), metadata=_wide((0.3, 1), "share of folds drawn anew over the average brain's", CHOICE)
    )
    gyrus_mm: Range = field(default=(0, 0), metadata=_wide((10, 17), "mm, from sulcus to sulcus", CHOICE))
    sulcus_depth_mm: Range = field(default=(0, 0), metadata=_wide((11, 21), "mm, mean of a patient", CHOICE))
    sulcus_gap_mm: Range = field(default=(0, 0), metadata=_wide((0.2, 1.3), "mm, half a sulcus's width", CHOICE))
    fluid_rim_mm: Range = field(default=(0, 0), metadata=_wide((0.5, 3.5), "mm of fluid over the gyri", CHOICE))
    cortex_mm: Range = field(
        default=(0, 0),
        metadata=_wide((2.2, 3.8), "mm, thickness of the cortex", "2.5 mm: Fischl and Dale, PNAS 97:11050, 2000"),
    )
    hull_level: Range = field(
        default=(0.35, 0.65),
        metadata=_wide((0.25, 0.75), "share of the brain's hull", "as tight as BET or HD-BET leave it"),
    )

    # ---- disease
    severity: Range = field(
        default=(0.9, 0.9),
        metadata=_wide((0.8, 1.1), "share of tissue that died, mean; at most 1", CHOICE),
    )
    infarct_jitter: Range = field(
        default=(1, 1), metadata=_wide((0.92, 1.08), "factor on a stage's T1, T2 and ADC", CHOICE)
    )
    relaxation_apart: Range = field(
        default=(1, 1),
        metadata=_wide((0, 0.3), "0: T1 and T2 of an infarct rise together, 1: each is drawn by itself", CHOICE),
    )
    hyperintensities_ml: Range = field(default=(0.3, 30), metadata=_wide((0.1, 30), "ml, log-uniform", CHOICE))
    hyperintensity_t1: Range = field(
        default=(1.3, 1.6), metadata=_wide((1.05, 1.6), "factor on white matter's, of hyperintensities", CHOICE)
    )
    hyperintensity_t2: Range = field(
        default=(1.6, 2.1),
        metadata=_wide(
            (1.2, 2.1),
            "factor on white matter's, of hyperintensities and gliosis",
            "about two: Helenius et al., Stroke 33:45, 2002; faint ones too: our choice",
        ),
    )
    hyperintensity_adc: Range = field(
        default=(1.3, 1.65),
        metadata=_wide((1.1, 1.65), "factor on white matter's", "1.1 to 1.3: Helenius et al., Stroke 33:45, 2002"),
    )
    gliosis_adc: Range = field(
        default=(1.2, 1.5), metadata=_wide((1.2, 1.5), "1e-3 mm2/s, of the rim of old infarcts", CHOICE)
    )
    old_infarcts: Range = field(default=(0, 1), metadata=_wide((0, 3), "number in patients who have one", CHOICE))
    old_infarct_ml: Range = field(
        default=(0.3, 25),
        metadata=_wide(
            (0.05, 25), "ml, log-uniform; lacunes: 3 to 15 mm", "Wardlaw et al., Lancet Neurol 12:822, 2013"
        ),
    )
    cavity_share: Range = field(default=(0.6, 0.6), metadata=_wide((0.2, 0.8), "of an old infarct", CHOICE))
    choroid_plexus_mm: Range = field(default=(0, 0), metadata=_wide((0, 6), "mm, radius in each atrium", CHOICE))

    # ---- tissue and protocol
    tissue_sd: Range = field(
        default=(0.025, 0.025), metadata=_wide((0.03, 0.08), "of T1, T2, PD and ADC between people", CHOICE)
    )
    b_value: Range = field(default=(1000, 1000), metadata=_wide((800, 1500), "s/mm2", CHOICE))
    dwi_repetition_ms: Range = field(default=(4000, 7000), metadata=_wide((3000, 10000), "ms", CHOICE))
    dwi_echo_ms: Range = field(default=(75, 100), metadata=_wide((55, 115), "ms", CHOICE))
    t1_repetition_ms: Range = field(default=(400, 600), metadata=_wide((350, 800), "ms, spin echo", CHOICE))
    t1_echo_ms: Range = field(default=(8, 14), metadata=_wide((5, 20), "ms, spin echo", CHOICE))
    t1_recovery_ms: Range = field(
        default=(1800, 2300), metadata=_wide((1500, 2300), "ms, repetition of inversion recovery", CHOICE)
    )
    t1_inversion_ms: Range = field(default=(900, 900), metadata=_wide((850, 1100), "ms, of inversion recovery", CHOICE))
    t2_repetition_ms: Range = field(default=(3500, 6000), metadata=_wide((2500, 9000), "ms", CHOICE))
    t2_echo_ms: Range = field(default=(85, 110), metadata=_wide((75, 130), "ms", CHOICE))
    flair_repetition_ms: Range = field(default=(8000, 11000), metadata=_wide((5000, 12000), "ms", CHOICE))
    flair_echo_ms: Range = field(default=(100, 135), metadata=_wide((80, 150), "ms", CHOICE))
    flair_grey: Range = field(
        default=(1, 1), metadata=_wide((0.3, 1.1), "of grey matter's excess over white on FLAIR", CHOICE)
    )
    oedema_excess: Range = field(
        default=(0, 0),
        metadata=_wide(
            (0.1, 0.6),
            "further excess of an infarct on T2 and FLAIR, for each time its T2 rose",
            "FLAIR ratios over 1.2 from 8 h on: Legge et al., J Stroke Cerebrovasc Dis 26:1582, 2017; our range",
        ),
    )
    flair_null: Range = field(
        default=(1, 1), metadata=_wide((0.9, 1.06), "inversion time over the one that nulls fluid", CHOICE)
    )

    # ---- what healthy brains show that no tissue map has
    grey_brightening: Range = field(
        default=(0, 0), metadata=_wide((0, 0.3), "excess of cortex, in places; DWI and FLAIR", CHOICE)
    )
    gyrus_brightening: Range = field(
        default=(0, 0), metadata=_wide((0, 0.7), "excess of single gyri; DWI and FLAIR", CHOICE)
    )
    limbic_brightening: Range = field(
        default=(0, 0),
        metadata=_wide(
            (0, 0.6),
            "excess of insula, opercula, cingulate gyrus and hippocampus, each side its own; DWI and FLAIR",
            "where it is seen: Asao et al., Neuroradiology 50:205, 2008; how much is our choice",
        ),
    )
    hindbrain_brightening: Range = field(
        default=(0, 0), metadata=_wide((-0.1, 0.4), "excess of cerebellum and brainstem; DWI and FLAIR", CHOICE)
    )
    flair_brightening: Range = field(
        default=(1, 1), metadata=_wide((0.2, 0.7), "of those four and of tracts on FLAIR, against the DWI", CHOICE)
    )
    tract_brightening: Range = field(
        default=(0, 0), metadata=_wide((0, 0.3), "excess where fibres run through the slice; DWI, FLAIR, T2", CHOICE)
    )
    texture: Range = field(
        default=(0, 0), metadata=_wide((0, 0.08), "log signal, standard deviation over 5 mm", CHOICE)
    )
    fluid_flow: Range = field(
        default=(0, 0), metadata=_wide((0, 1.2), "of grey matter's signal, in fluid on FLAIR", CHOICE)
    )
    pile_up: Range = field(
        default=(0, 0.5), metadata=_wide((0, 0.8), "excess near sinus and ears, smooth; DWI", CHOICE)
    )
    surface_pile_up: Range = field(
        default=(0, 0), metadata=_wide((0, 4.0), "excess in bands at the brain's surface; DWI", CHOICE)
    )
    shift_mm_per_ppm: Range = field(
        default=(0, 0),
        metadata=_wide(
            (0, 14),
            "mm along the phase encoding that a part in a million of the field displaces; DWI",
            "0 is a corrected scan, 14 one with 18 Hz a voxel of 2 mm at 128 MHz: our choice",
        ),
    )
    surface_depth_mm: Range = field(default=(0, 0), metadata=_wide((1.5, 10), "mm, depth of those bands", CHOICE))

    # ---- scanner
    dwi_voxel_mm: Range = field(
        default=(1.6, 2.2), metadata=_wide((1.0, 2.5), "mm, in plane; no finer than the phantom's voxels", CHOICE)
    )
    t1_voxel_mm: Range = field(
        default=(0.9, 1.2), metadata=_wide((0.5, 1.5), "mm, in plane; no finer than the phantom's voxels", CHOICE)
    )
    t2_voxel_mm: Range = field(
        default=(0.8, 1.1), metadata=_wide((0.5, 1.5), "mm, in plane; no finer than the phantom's voxels", CHOICE)
    )
    flair_voxel_mm: Range = field(
        default=(0.9, 1.3), metadata=_wide((0.5, 1.8), "mm, in plane; no finer than the phantom's voxels", CHOICE)
    )
    slice_mm: Range = field(default=(3, 6), metadata=_wide((2, 6.5), "mm, of thick slices", CHOICE))
    noise: Range = field(
        default=(0.02, 0.06), metadata=_wide((0.005, 0.08), "of the mean signal, standard deviation", CHOICE)
    )
    bias: Range = field(
        default=(0.03, 0.15), metadata=_wide((0.02, 0.25), "log sensitivity, standard deviation", CHOICE)
    )
    brightness: Range = field(
        default=(120, 2500), metadata=_wide((40, 4000), "stored value of the mean signal, log-uniform", CHOICE)
    )
    shift_mm: Range = field(
        default=(0, 0),
        metadata=_wide((0, 2), "mm, misregistration of a sequence", "this project's own limit, as the blur's"),
    )
    turn_deg: Range = field(default=(0, 0), metadata=_wide((0, 1.5), "degrees, misregistration of a sequence", CHOICE))
    blur_mm: Range = field(
        default=(0, 0), metadata=_wide((0, 1.2), "mm, motion along one axis in plane, standard deviation", CHOICE)
    )
    ghost: Range = field(
        default=(0, 0), metadata=_wide((0, 0.06), "of the signal, shifted by half the field of view", CHOICE)
    )
    sharpening: Range = field(
        default=(0, 0), metadata=_wide((0, 1.0), "unsharp masking by the scanner's filter", CHOICE)
    )
    slice_gain: Range = field(
        default=(0, 0), metadata=_wide((0, 0.06), "brightness of odd against even slices", CHOICE)
    )
    cut_mm: Range = field(default=(0, 0), metadata=_wide((0, 35), "mm missing at top or bottom, in some", CHOICE))

    # ---- around the brain, where the skull is on
    shell: Range = field(
        default=(1, 1), metadata=_wide((0.6, 1.6), "thickness of skull and scalp over the typical one", CHOICE)
    )
    face: Range = field(
        default=(0, 0), metadata=_wide((0, 2.5), "further thickness in front and below: face and neck", CHOICE)
    )
    fat_left: Range = field(default=(0.1, 0.1), metadata=_wide((0, 0.7), "of the fat's signal on DWI", CHOICE))
    fat_shift_mm: Range = field(default=(0, 0), metadata=_wide((0, 16), "mm, chemical shift of fat on DWI", CHOICE))

    @property
    def is_disturbed(self) -> bool:
        """Whether scans show what no tissue map has: texture, flow, pile-up at surfaces, motion."""
        return self.texture[1] > 0


SISS_LIKE = Ranges()
WIDE = Ranges(**{each.name: each.metadata["wide"] for each in fields(Ranges)})


def draw(rng: np.random.Generator, bounds: Range) -> float:
    """Draw evenly between two values; where they are equal nothing is drawn, so that other draws stay as they were."""
    low, high = bounds
    return float(rng.uniform(low, high)) if high > low else float(low)


def draw_log(rng: np.random.Generator, bounds: Range) -> float:
    """Draw evenly in the logarithm; both bounds above 0."""
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))
