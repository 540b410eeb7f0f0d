from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from islesnet.errors import InputError
from islesnet.phantom import (
    PhantomSettings,
    WideCohort,
    make_patient,
    narrow_settings,
    patient_seed,
    wide_settings,
    write_wide_dataset,
)
from islesnet.phantom.anatomy import make_anatomy
from islesnet.phantom.appearance import brighten, choroid_plexus, flowing_fluid, hindbrain, surface_pile_up
from islesnet.phantom.face import fill_face
from islesnet.phantom.lesion_masks import MASK_PARTS, list_masks
from islesnet.phantom.ranges import SISS_LIKE, WIDE
from islesnet.phantom.wide import ACUTE_STAGES
from tests.phantom.conftest import write_ball

WIDE_AND_COARSE = PhantomSettings(spacing_mm=4.0, ranges=WIDE, volume_ml=(5, 50))
LARGE = replace(WIDE_AND_COARSE, volume_ml=(40, 100), stages=("acute",))


@pytest.fixture(scope="module")
def anatomy():
    return make_anatomy(np.random.default_rng(3), 4.0, ranges=WIDE)


@pytest.fixture(scope="module")
def head():
    return make_anatomy(np.random.default_rng(3), 4.0, is_skull_stripped=False, ranges=WIDE)


def test_same_seed_gives_the_same_wide_patient():
    first, again = (make_patient(5, WIDE_AND_COARSE) for _ in range(2))

    assert first.images.keys() == again.images.keys()
    for sequence, image in first.images.items():
        np.testing.assert_array_equal(image, again.images[sequence])


def test_shares_of_head_and_face_add_up_to_one(head):
    shares = fill_face(np.random.default_rng(0), head)

    np.testing.assert_allclose(sum(shares.values()), 1, atol=1e-3)
    assert {"muscle", "air"} <= shares.keys()
    assert not (shares["muscle"] + shares["air"])[head.brain].any()


def test_choroid_plexus_lies_in_the_fluid_of_both_atria(anatomy):
    plexus = choroid_plexus(np.random.default_rng(1), anatomy, replace(WIDE, choroid_plexus_mm=(9, 9)))

    assert (plexus <= anatomy.tissues["csf"]).all()
    for side in (-1, 1):
        places = anatomy.mni_mm[:, (plexus > 0.1) & (side * anatomy.mni_mm[0] > 0)]
        np.testing.assert_allclose(np.abs(places.mean(axis=1)), (23, 42, 8), atol=9)


def test_hindbrain_is_what_lies_below_the_tentorium():
    places = {
        "cerebellum": (20, -62, -35), "vermis": (0, -60, -20), "pons": (0, -26, -32), "medulla": (0, -36, -52),
        "occipital pole": (10, -98, 0), "fusiform gyrus": (38, -50, -12), "hippocampus": (28, -22, -14),
        "temporal pole": (38, 8, -34), "thalamus": (10, -18, 8),
    }  # fmt: skip
    shares = hindbrain(np.array(list(places.values()), dtype=np.float32).T)

    assert [name for name, share in zip(places, shares, strict=True) if share > 0.5] == list(places)[:4]
    assert (shares[4:] < 0.2).all()


@pytest.mark.parametrize(("sequence", "shines"), [("dwi", True), ("flair", True), ("t2", False), ("t1", False)])
def test_limbic_cortex_and_hindbrain_shine_on_dwi_and_flair(anatomy, sequence, shines):
    plain = replace(WIDE, texture=(0, 0), grey_brightening=(0, 0), gyrus_brightening=(0, 0), tract_brightening=(0, 0))
    ranges = replace(plain, limbic_brightening=(0.3, 0.3), hindbrain_brightening=(0.2, 0.2), flair_brightening=(1, 1))
    factor = brighten(np.random.default_rng(0), anatomy, sequence, ranges)

    insulae = mean_in_insulae(factor, anatomy)
    assert insulae.min() > 1.15 if shines else insulae == pytest.approx(1, abs=0.02)
    assert factor[hindbrain(anatomy.mni_mm) > 0.99].mean() == pytest.approx(1.2 if shines else 1, abs=0.04)


def test_flair_shows_the_given_share_of_what_shines_on_dwi(anatomy):
    flat = dict.fromkeys(("texture", "grey_brightening", "gyrus_brightening", "tract_brightening"), (0, 0))
    ranges = replace(WIDE, **flat, limbic_brightening=(0.3, 0.3), hindbrain_brightening=(0.2, 0.2))

    whole, half = (
        brighten(np.random.default_rng(0), anatomy, "flair", replace(ranges, flair_brightening=(share, share)))
        for share in (1, 0.5)
    )

    np.testing.assert_allclose(half - 1, 0.5 * (whole - 1), atol=1e-6)


def mean_in_insulae(factor, anatomy):
    near = [np.linalg.norm(anatomy.mni_mm - [[x], [8], [0]], axis=0) < 8 for x in (-38, 38)]
    return np.array([np.average(factor[each], weights=anatomy.tissues["grey"][each]) for each in near])


def test_sides_of_the_limbic_cortex_differ_from_patient_to_patient(anatomy):
    sides = np.array(
        [mean_in_insulae(brighten(np.random.default_rng(seed), anatomy, "dwi", WIDE), anatomy) for seed in range(6)]
    )

    assert np.ptp(sides[:, 1] - sides[:, 0]) > 0.1


def test_pile_up_at_the_surface_is_brightest_there_and_spares_the_depth(anatomy):
    sharp = replace(WIDE, surface_depth_mm=(3, 3))
    factors = np.array([surface_pile_up(np.random.default_rng(seed), anatomy, sharp) for seed in range(8)])
    is_deep = (
        (np.abs(anatomy.mni_mm[0]) < 15) & (np.abs(anatomy.mni_mm[2] - 10) < 10) & (np.abs(anatomy.mni_mm[1]) < 20)
    )

    assert factors.max() > 1.5
    assert factors[:, is_deep].min() > 0.7 and factors[:, is_deep].max() < 1.1


def test_no_cortex_is_brightened_on_t1(anatomy):
    quiet = replace(WIDE, texture=(0, 1e-6))

    np.testing.assert_allclose(brighten(np.random.default_rng(0), anatomy, "t1", quiet), 1, atol=1e-4)
    assert brighten(np.random.default_rng(0), anatomy, "dwi", quiet).max() > 1.05


def test_fluid_flows_most_around_the_brainstem(anatomy):
    flow = np.mean([flowing_fluid(np.random.default_rng(seed), anatomy, WIDE) for seed in range(12)], axis=0)

    base, vertex = anatomy.mni_mm[2] < -30, anatomy.mni_mm[2] > 50
    assert flow[base].mean() > 3 * flow[vertex].mean() > 0


def test_chronic_patient_has_a_labelled_cavity_and_no_dwi():
    phantom = make_patient(2, replace(WIDE_AND_COARSE, stages=("chronic",), old_infarct_probability=0))

    assert phantom.images.keys() == {"t1", "t2", "flair"}
    assert phantom.label.any() and phantom.has_old_infarct
    inside, brain = phantom.images["t1"][phantom.label > 0], phantom.images["t1"][phantom.brain > 0]
    assert inside.mean() < np.median(brain)


def test_chronic_patient_has_no_old_infarct_that_is_not_in_the_label():
    chronic = replace(WIDE_AND_COARSE, stages=("chronic",))
    alone, beside = (make_patient(2, replace(chronic, old_infarct_probability=share)) for share in (0.0, 1.0))

    for sequence, image in alone.images.items():
        np.testing.assert_array_equal(beside.images[sequence], image)


@pytest.mark.parametrize("seed", [0, 4])
def test_small_infarct_that_fills_no_voxel_by_half_is_outlined_in_its_volume(seed):
    tiny = PhantomSettings(spacing_mm=2.0, ranges=WIDE, volume_ml=(0.05, 0.05))

    assert 0.03 < make_patient(seed, tiny).lesion_volume_ml < 0.07


def test_label_ends_where_the_field_of_view_of_the_dwi_does():
    whole, halved = (
        [make_patient(seed, replace(LARGE, ranges=replace(WIDE, cut_mm=(mm, mm)))) for seed in range(8, 12)]
        for mm in (0, 80)
    )

    assert all(not phantom.label[phantom.images["dwi"] == 0].any() for phantom in halved)
    shares = [cut.label.sum() / uncut.label.sum() for cut, uncut in zip(halved, whole, strict=True)]
    assert min(shares) < 0.9 and max(shares) == 1


@pytest.mark.parametrize("seed", range(6))
def test_label_lies_where_the_distorted_dwi_is_bright(seed):
    phantom = make_patient(seed, LARGE)
    inside = phantom.label > 0
    around = ndimage.binary_dilation(inside, iterations=3) & ~ndimage.binary_dilation(inside) & (phantom.brain > 0)

    dwi = phantom.images["dwi"]
    assert np.median(dwi[inside]) > 1.1 * np.median(dwi[around])


def test_settings_of_a_patient_depend_on_the_seed_alone_and_cover_both_kinds(mask_folder):
    drawn = [wide_settings(seed, (4.0, 4.0), mask_folder) for seed in range(60)]

    assert drawn == [wide_settings(seed, (4.0, 4.0), mask_folder) for seed in range(60)]
    assert 0.2 < np.mean([not settings.is_skull_stripped for settings in drawn]) < 0.6
    assert 0.5 < np.mean([settings.lesion_masks is not None for settings in drawn]) < 0.9
    assert {settings.stages for settings in drawn} == {("chronic",), ACUTE_STAGES}
    deep = [settings for settings in drawn if settings.is_deep]
    assert deep and all(settings.lesion_masks is None and settings.volume_ml[1] <= 3 for settings in deep)


def test_size_of_the_voxels_is_drawn_without_touching_the_patient():
    drawn = [wide_settings(seed, (4.0, 6.0), None) for seed in range(20)]

    sizes = [settings.spacing_mm for settings in drawn]
    assert 4 <= min(sizes) < 4.6 and 5.4 < max(sizes) <= 6
    assert [replace(settings, spacing_mm=4.0) for settings in drawn] == [
        wide_settings(seed, (4.0, 4.0), None) for seed in range(20)
    ]


def test_wide_cohort_goes_on_where_it_was_interrupted(tmp_path):
    write_wide_dataset(tmp_path, WideCohort(1, spacing_mm=(6.0, 6.0)), workers=1)
    before = (tmp_path / "1").stat().st_mtime_ns
    told = []

    folders = write_wide_dataset(
        tmp_path,
        WideCohort(2, spacing_mm=(6.0, 6.0)),
        workers=1,
        progress=lambda done, total: told.append((done, total)),
    )

    assert [folder.name for folder in folders] == ["1", "2"]
    assert (tmp_path / "1").stat().st_mtime_ns == before
    assert told == [(2, 2)]


def test_wide_cohort_of_no_patient_is_refused(tmp_path):
    with pytest.raises(InputError, match="patients is 0"):
        write_wide_dataset(tmp_path, WideCohort(0))


def test_narrow_patient_has_a_lesion_as_the_wide_ones_and_the_appearance_of_siss(tmp_path):
    usual = PhantomSettings()
    for seed in range(20):
        wide, narrow = (draw(seed, (1.4, 2.2), tmp_path, "training") for draw in (wide_settings, narrow_settings))

        assert (narrow.volume_ml, narrow.spacing_mm) == (wide.volume_ml, wide.spacing_mm)
        assert (narrow.lesion_masks, narrow.mask_part) == (wide.lesion_masks, "training")
        assert (narrow.stages, narrow.noise, narrow.bias) == (usual.stages, usual.noise, usual.bias)
        assert narrow.ranges == SISS_LIKE != wide.ranges


def test_no_mask_is_in_two_parts_and_all_are_in_one(mask_folder):
    for number in range(40):
        (mask_folder / f"{number:02d}.nii.gz").touch()

    parts = {part: [path.name[:2] for path in list_masks(mask_folder, part)] for part in MASK_PARTS}

    assert parts["validation"] == ["00", "16", "32"]
    assert parts["test"] == ["08", "24"]
    assert sorted(parts["training"] + parts["validation"] + parts["test"]) == parts["all"]


def test_folder_of_too_few_masks_for_three_parts_is_refused(tmp_path, mask_folder):
    for number in range(8):
        (mask_folder / f"{number}.nii.gz").touch()

    with pytest.raises(InputError, match=r"holds 8, so there is none for the part 'test'; .* takes 9"):
        write_wide_dataset(tmp_path / "cohort", WideCohort(3, lesion_masks=mask_folder, validation=1, test=1))
    assert not (tmp_path / "cohort").exists()


@pytest.mark.parametrize(
    ("choices", "parts"),
    [
        ({}, ["all"] * 4),
        ({"validation": 1, "test": 2}, ["validation", "test", "test", "training"]),
        ({"validation": 2}, ["validation", "validation", "training", "training"]),
    ],
)
def test_patients_to_train_validate_and_test_on_take_lesions_from_masks_of_their_own(mask_folder, choices, parts):
    cohort = WideCohort(4, lesion_masks=mask_folder, **choices)

    assert [cohort.settings_of(number).mask_part for number in range(1, 5)] == parts


def test_narrow_cohort_is_held_out_on_wide_patients(tmp_path):
    wide, narrow = (
        write_wide_dataset(tmp_path / name, WideCohort(2, 3, (6.0, 6.0), validation=1, is_narrow=is_narrow), workers=1)
        for name, is_narrow in (("wide", False), ("narrow", True))
    )

    same = [
        [file.read_bytes() for file in sorted(first.rglob("*.nii"))]
        == [file.read_bytes() for file in sorted(second.rglob("*.nii"))]
        for first, second in zip(wide, narrow, strict=True)
    ]
    assert same == [True, False]


def test_cohort_grows_the_lesions_that_a_small_folder_of_masks_lacks(tmp_path, mask_folder):
    write_ball(mask_folder / "only.nii.gz", (40, -20, 20), 16)
    drawn = [wide_settings(patient_seed(2, number), (6.0, 6.0), mask_folder) for number in range(1, 9)]

    patients = [
        make_patient(patient_seed(2, number), settings)
        for number, settings in enumerate(drawn, start=1)
        if settings.lesion_masks is not None
    ]

    origins = {patient.origin for patient in patients}
    assert origins > {"only.nii.gz"}


def test_lesion_grown_for_want_of_a_mask_has_the_volume_in_the_middle_of_the_range(mask_folder):
    write_ball(mask_folder / "large.nii.gz", (40, -20, 20), 40)
    settings = PhantomSettings(
        spacing_mm=4.0, lesion_masks=mask_folder, grow_where_no_mask_fits=True, volume_ml=(4, 25), stages=("acute",)
    )

    volumes_ml = [make_patient(seed, settings).lesion_volume_ml for seed in range(4)]

    np.testing.assert_allclose(volumes_ml, 10, rtol=0.25)


def test_folder_without_any_mask_is_refused_by_a_wide_cohort_too(tmp_path, mask_folder):
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), dtype=np.uint8), np.eye(4)), mask_folder / "empty.nii")

    with pytest.raises(InputError, match="none of 1 files drawn"):
        write_wide_dataset(tmp_path / "cohort", WideCohort(8, 0, (6.0, 6.0), mask_folder), workers=1)
