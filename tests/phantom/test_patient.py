import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from islesnet.errors import InputError
from islesnet.phantom import Phantom, PhantomSettings, make_patient
from islesnet.phantom.anatomy import make_anatomy
from islesnet.phantom.build import Grid
from islesnet.phantom.settings import STAGES
from islesnet.sequences import SEQUENCES


def mean_in(phantom: Phantom, sequence: str, where: np.ndarray) -> float:
    return float(phantom.images[sequence][where].mean())


def mirrored(phantom: Phantom) -> np.ndarray:
    """The label on the other side of the middle of the brain, in normal brain only."""
    brain = phantom.images["t1"] > 0
    x = np.flatnonzero(brain.any((1, 2)))
    shift = x[0] + x[-1] - (brain.shape[0] - 1)
    return (np.roll(phantom.label[::-1], shift, axis=0) > 0) & brain & (phantom.label == 0)


def test_same_seed_gives_the_same_bits(coarse):
    one, two = make_patient(7, coarse), make_patient(7, coarse)

    for sequence in one.images:
        np.testing.assert_array_equal(one.images[sequence], two.images[sequence])
    np.testing.assert_array_equal(one.label, two.label)


def test_other_seed_gives_another_brain_and_another_lesion(coarse):
    one, two = make_patient(7, coarse), make_patient(8, coarse)

    assert ((one.images["t1"] > 0) != (two.images["t1"] > 0)).any()
    assert (one.label != two.label).any()


def test_same_seed_is_the_same_person_at_every_spacing():
    settings = PhantomSettings(volume_ml=(20, 60))
    fine, rough = (make_patient(3, replace(settings, spacing_mm=spacing)) for spacing in (4.0, 5.0))

    assert (fine.stage, fine.origin, fine.tesla) == (rough.stage, rough.origin, rough.tesla)
    assert fine.lesion_volume_ml == pytest.approx(rough.lesion_volume_ml, rel=0.02)
    centres = [
        phantom.affine[:3, :3] @ np.argwhere(phantom.label).mean(axis=0) + phantom.affine[:3, 3]
        for phantom in (fine, rough)
    ]
    assert np.linalg.norm(centres[0] - centres[1]) < 5


@pytest.mark.parametrize(("spacing_mm", "shape"), [(1.0, (230, 230, 154)), (2.0, (115, 115, 77)), (5.0, (46, 46, 31))])
def test_grid_covers_the_field_of_view_of_siss(spacing_mm, shape):
    grid = Grid(spacing_mm)

    assert grid.shape == shape
    np.testing.assert_allclose(np.diag(grid.affine), [spacing_mm] * 3 + [1])


def test_affine_sends_the_middle_voxel_to_the_middle_of_the_field_of_view(coarse):
    phantom = make_patient(0, coarse)

    middle = (np.array(phantom.label.shape) - 1) / 2

    np.testing.assert_allclose(phantom.affine @ [*middle, 1], [0, -17, 5, 1])


def test_images_are_whole_positive_int16_values_in_the_brain_and_zero_around_it(coarse):
    phantom = make_patient(1, coarse)

    brain = phantom.images["dwi"] > 0
    assert list(phantom.images) == ["dwi", "t1", "t2", "flair"]
    for image in phantom.images.values():
        assert image.dtype == np.float32 and image.shape == phantom.label.shape
        np.testing.assert_array_equal(image, image.astype(np.int16))
        np.testing.assert_array_equal(image > 0, brain)
    assert not phantom.label[~brain].any()
    assert 1100 < brain.sum() * 0.125 < 1900  # ml


@pytest.mark.parametrize("seed", range(6))
def test_lesion_volume_lies_in_the_range_asked_for(seed):
    settings = PhantomSettings(spacing_mm=4.0, volume_ml=(5, 30))

    phantom = make_patient(seed, settings)

    assert 5 - 0.064 <= phantom.lesion_volume_ml <= 30 + 0.064
    assert phantom.lesion_volume_ml == pytest.approx(phantom.label.sum() * 0.064)
    assert phantom.components >= 1
    assert phantom.stage in STAGES


def test_smallest_lesion_has_one_voxel():
    phantom = make_patient(0, PhantomSettings(spacing_mm=5.0, volume_ml=(0.01, 0.01)))

    assert phantom.label.sum() == 1


def test_infarct_is_brighter_on_dwi_t2_and_flair_and_darker_on_t1_than_the_other_side(large_infarcts):
    ratios = {
        name: [
            mean_in(phantom, name, phantom.label > 0) / mean_in(phantom, name, mirrored(phantom))
            for phantom in large_infarcts
        ]
        for name in SEQUENCES
    }

    assert min(ratios["dwi"]) > 1.2
    assert min(ratios["flair"]) > 1
    assert min(ratios["t2"]) > 1
    # The two sides do not hold quite the same mixture of grey and white matter, so T1 is told on average.
    assert np.mean(ratios["t1"]) < 0.97


def test_hyperacute_infarct_shows_on_dwi_more_than_on_flair():
    settings = PhantomSettings(spacing_mm=4.0, volume_ml=(40, 80), stages=("hyperacute",), noise=(0, 0.01))

    phantom = make_patient(2, settings)

    infarct, other = phantom.label > 0, mirrored(phantom)
    gain = {name: mean_in(phantom, name, infarct) / mean_in(phantom, name, other) for name in ("dwi", "flair")}
    assert gain["dwi"] > 1.1 * gain["flair"]


def test_ventricles_are_bright_on_t2_and_dark_on_the_others(large_infarcts):
    for seed, phantom in enumerate(large_infarcts):
        # The infarct spares fluid, so the voxels of most fluid are the same with and without it.
        anatomy = make_anatomy(np.random.default_rng(seed).spawn(5)[0], 4.0)
        ventricles = np.zeros(phantom.label.shape, dtype=bool)
        ventricles[anatomy.box] = anatomy.spread((anatomy.tissues["csf"] > 0.95) & (anatomy.periventricular > 0.9)) > 0
        brain = phantom.images["t1"] > 0
        assert ventricles.sum() >= 5
        assert mean_in(phantom, "t2", ventricles) > 1.7 * mean_in(phantom, "t2", brain)
        for sequence in ("dwi", "t1", "flair"):
            assert mean_in(phantom, sequence, ventricles) < 0.7 * mean_in(phantom, sequence, brain)


def test_every_scan_has_its_own_scale(coarse):
    means = [image[image > 0].mean() for seed in range(3) for image in make_patient(seed, coarse).images.values()]

    assert max(means) > 3 * min(means)


def test_patients_differ_in_stage_and_field_strength(coarse):
    phantoms = [make_patient(seed, coarse) for seed in range(20)]

    assert {phantom.stage for phantom in phantoms} == {"hyperacute", "acute", "subacute"}
    assert {phantom.tesla for phantom in phantoms} == {1.5, 3.0}
    assert 0 < sum(phantom.has_old_infarct for phantom in phantoms) < 12


def test_a_choice_about_mimics_leaves_anatomy_and_infarct_alone(coarse):
    plain = make_patient(5, replace(coarse, old_infarct_probability=0))
    scarred = make_patient(5, replace(coarse, old_infarct_probability=1))

    assert scarred.has_old_infarct and not plain.has_old_infarct
    np.testing.assert_array_equal(plain.label, scarred.label)
    assert (plain.images["t2"] != scarred.images["t2"]).any()


def test_skull_and_scalp_surround_the_same_brain_where_they_are_not_stripped(coarse):
    stripped = make_patient(6, coarse)
    whole = make_patient(6, replace(coarse, is_skull_stripped=False))

    np.testing.assert_array_equal(whole.brain, stripped.brain)
    np.testing.assert_array_equal(whole.label, stripped.label)
    np.testing.assert_array_equal(stripped.brain, stripped.images["t1"] > 0)
    head = whole.images["t1"] > 0
    assert head.sum() > 1.3 * stripped.brain.sum()
    # Bone is dark and fat is bright on T1; on DWI fat is suppressed.
    around = head & (whole.brain == 0)
    t1 = whole.images["t1"]
    assert np.percentile(t1[around], 10) < 0.5 * np.median(t1[whole.brain > 0])
    assert np.percentile(t1[around], 95) > 1.2 * np.median(t1[whole.brain > 0])
    assert mean_in(whole, "dwi", around) < 0.5 * mean_in(whole, "dwi", whole.brain > 0)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"spacing_mm": 0.0}, "spacing_mm is 0.0: a phantom's voxels are 0.5 to 10 mm wide"),
        ({"volume_ml": (30, 5)}, r"volume_ml is \(30, 5\): give two values, low then high, between 0.001 and 400"),
        ({"is_deep": True}, r"volume_ml is \(0.2, 150.0\): .* between 0.001 and 20"),
        ({"foci": (0, 2)}, r"foci is \(0, 2\)"),
        ({"stages": ("old",)}, "name one or more of hyperacute, acute, subacute, chronic"),
        ({"stages": ()}, "name one or more of hyperacute, acute, subacute"),
        ({"thick_slices_probability": 2}, "thick_slices_probability is 2: a probability lies between 0 and 1"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(choice, message):
    with pytest.raises(InputError, match=message):
        PhantomSettings(**choice)


def test_import_loads_neither_torch_nor_monai_nor_nilearn():
    code = "import sys, islesnet.phantom; print([m for m in ('torch', 'monai', 'nilearn') if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
