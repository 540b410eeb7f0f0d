import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from islesnet.errors import InputError
from islesnet.phantom import PhantomSettings, make_patient
from islesnet.phantom.anatomy import Anatomy, make_anatomy
from islesnet.phantom.lesion_masks import take_infarct_from_masks
from islesnet.phantom.lesions import DEEP_SITES, SITES, grow_infarct, take_deepest
from islesnet.phantom.mimics import grow_hyperintensities, grow_old_infarct
from tests.phantom.conftest import write_ball


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    return make_anatomy(np.random.default_rng(0), spacing_mm=4.0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("volume_ml", [1, 20, 120])
def test_grown_infarct_has_its_volume_in_the_tissue_of_one_hemisphere(anatomy, seed, volume_ml):
    infarct = grow_infarct(np.random.default_rng(seed), anatomy, volume_ml, foci=3)

    label = infarct.share > 0.5
    assert label.sum() == round(volume_ml / 0.064)
    assert len(np.unique(np.sign(anatomy.mni_mm[0, label]))) == 1
    assert (anatomy.parenchyma[label] > 0.5).all()


def test_grown_infarct_has_soft_edges(anatomy):
    share = grow_infarct(np.random.default_rng(1), anatomy, 40, foci=1).share

    assert ((share > 0.05) & (share < 0.95)).sum() > 20
    assert share.min() == 0 and share.max() > 0.99


def test_grown_infarct_stays_near_where_its_artery_goes(anatomy):
    for seed in range(5):
        infarct = grow_infarct(np.random.default_rng(seed), anatomy, 5, foci=1)
        centre = anatomy.mni_mm[:, infarct.share > 0.5].mean(axis=1)
        sites = [site.mni_mm for site in SITES if site.artery == infarct.artery]
        assert min(np.linalg.norm(np.abs(centre) - np.abs(site)) for site in sites) < 30


def test_more_foci_make_more_parts(anatomy):
    def parts(foci):
        shares = [grow_infarct(np.random.default_rng(seed), anatomy, 6, foci).share > 0.5 for seed in range(8)]
        return sum(ndimage.label(anatomy.spread(share))[1] for share in shares)

    assert parts(5) > parts(1)


def test_taking_the_deepest_fills_exactly_as_many_voxels_and_only_eligible_ones():
    depth = np.array([5, 1, 4, 3, 2], dtype=np.float32)

    share = take_deepest(depth, np.array([False, True, True, True, True]), voxels=2, edge=0.1)

    np.testing.assert_allclose(share, [0, 0, 1, 1, 0], atol=1e-6)


def test_taking_the_deepest_of_nothing_fills_nothing():
    assert not take_deepest(np.ones(3, dtype=np.float32), np.zeros(3, dtype=bool), voxels=2, edge=1).any()


def test_hyperintensities_lie_in_white_matter_near_the_ventricles_and_spare_the_infarct(anatomy):
    forbidden = anatomy.mni_mm[0] > 0

    share = grow_hyperintensities(np.random.default_rng(0), anatomy, 10, forbidden)

    label = share > 0.5
    assert label.sum() == round(10 / 0.064)
    assert not share[forbidden].any()
    assert anatomy.tissues["white"][label].min() > 0.6
    assert anatomy.periventricular[label].mean() > 2 * anatomy.periventricular.mean()


def test_old_infarct_is_a_cavity_with_a_rim(anatomy):
    forbidden = np.zeros(anatomy.mni_mm.shape[1], dtype=bool)

    cavity, gliosis = grow_old_infarct(np.random.default_rng(0), anatomy, 20, forbidden, cavity_share=0.6)

    whole = cavity + gliosis
    assert (whole > 0.5).sum() == round(20 / 0.064)
    assert (cavity > 0.5).sum() == pytest.approx(0.6 * 20 / 0.064, rel=0.05)
    assert gliosis.min() >= 0 and whole.max() <= 1


def test_mask_from_a_folder_lands_at_its_place_in_mni_space(anatomy, mask_folder):
    write_ball(mask_folder / "ball.nii.gz", centre_mni=(40, -20, 20), radius_mm=16)

    places = set()
    for seed in range(6):
        infarct = take_infarct_from_masks(np.random.default_rng(seed), anatomy, mask_folder, (1, 100))
        centre = anatomy.mni_mm[:, infarct.share > 0.5].mean(axis=1)
        np.testing.assert_allclose(np.abs(centre), (40, 20, 20), atol=4)
        places.add(np.sign(centre[0]))
        assert infarct.artery == "ball.nii.gz"
    assert places == {-1, 1}  # half of the masks are mirrored


def test_mask_ends_where_the_patient_has_fluid(anatomy, mask_folder):
    write_ball(mask_folder / "ventricle.nii.gz", centre_mni=(10, -10, 20), radius_mm=14)

    infarct = take_infarct_from_masks(np.random.default_rng(0), anatomy, mask_folder, (1, 100))

    assert anatomy.tissues["csf"][infarct.share > 0.5].max() < 0.75


def test_atlas_and_masks_of_other_sizes_are_passed_over(mask_folder):
    write_ball(mask_folder / "large.nii.gz", (40, -20, 20), 40)
    write_ball(mask_folder / "small.nii.gz", (40, -20, 20), 14)
    atlas = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    nib.save(nib.Nifti1Image(atlas, np.eye(4)), mask_folder / "atlas.nii.gz")
    settings = PhantomSettings(spacing_mm=5.0, lesion_masks=mask_folder, volume_ml=(2, 20))

    phantoms = [make_patient(seed, settings) for seed in range(5)]

    assert {phantom.origin for phantom in phantoms} == {"small.nii.gz"}
    assert all(2 <= phantom.lesion_volume_ml <= 20 for phantom in phantoms)


def test_folder_without_a_fitting_mask_is_refused_with_the_numbers(anatomy, mask_folder):
    write_ball(mask_folder / "large.nii", (40, -20, 20), 40)

    with pytest.raises(InputError, match=r"none of 1 files drawn from it is a lesion mask .* of 0.2 to 3 ml"):
        take_infarct_from_masks(np.random.default_rng(0), anatomy, mask_folder, (0.2, 3))


def test_broken_mask_is_refused_by_its_file(anatomy, mask_folder):
    (mask_folder / "torn.nii").write_bytes(b"not a header")

    with pytest.raises(InputError, match=r"torn\.nii cannot be read as NIfTI"):
        take_infarct_from_masks(np.random.default_rng(0), anatomy, mask_folder, (1, 2))


def test_folder_without_masks_is_refused_by_name(anatomy, mask_folder):
    (mask_folder / "readme.txt").touch()

    with pytest.raises(InputError, match=r"masks holds no \.nii or \.nii\.gz file"):
        take_infarct_from_masks(np.random.default_rng(0), anatomy, mask_folder, (1, 2))
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        take_infarct_from_masks(np.random.default_rng(0), anatomy, mask_folder / "nowhere", (1, 2))


def test_deep_infarct_begins_where_perforating_arteries_end(anatomy):
    for seed in range(5):
        infarct = grow_infarct(np.random.default_rng(seed), anatomy, 1.0, 1, DEEP_SITES)
        x, y, z = anatomy.mni_mm[:, infarct.share > 0.5].mean(axis=1)
        assert min(np.linalg.norm([abs(x), y, z] - np.array(site.mni_mm)) for site in DEEP_SITES) < 20
