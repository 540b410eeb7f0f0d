import numpy as np
import pytest

from islesnet.data import find_cases, lesion_volume_ml
from islesnet.errors import InputError
from islesnet.phantom import PhantomSettings, siss_volumes_ml, write_siss_like_dataset


def test_volumes_of_28_patients_are_those_published_of_siss():
    volumes = np.array(siss_volumes_ml(28))

    assert volumes.min() == pytest.approx(0.106)
    assert volumes.max() == pytest.approx(233.5)
    assert np.count_nonzero(volumes < 1) == 5
    assert np.count_nonzero(volumes < 5) == 12
    assert volumes.mean() == pytest.approx(43.8, rel=0.02)
    # Between the 14th and the 15th patient, where the published median lies.
    assert volumes[13] <= 17.2 <= volumes[14]


@pytest.mark.parametrize("patients", [1, 2, 100])
def test_any_number_of_patients_is_drawn_from_the_same_range(patients):
    volumes = siss_volumes_ml(patients)

    assert len(volumes) == patients
    assert all(0.1 <= volume <= 234 for volume in volumes)


def test_patients_get_the_volumes_and_an_interrupted_cohort_goes_on(tmp_path):
    settings = PhantomSettings(spacing_mm=4.0)
    write_siss_like_dataset(tmp_path, 4, seed=5, settings=settings, workers=1)
    written = {case.patient: lesion_volume_ml(case) for case in find_cases(tmp_path)}
    before = (tmp_path / "2").stat().st_mtime_ns
    for file in sorted((tmp_path / "3").rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    (tmp_path / "3").rmdir()
    seen = []

    write_siss_like_dataset(
        tmp_path, 4, seed=5, settings=settings, workers=1, progress=lambda done, total: seen.append((done, total))
    )

    assert seen == [(4, 4)]
    assert (tmp_path / "2").stat().st_mtime_ns == before
    assert {case.patient: lesion_volume_ml(case) for case in find_cases(tmp_path)} == written
    voxel_ml = 0.064
    np.testing.assert_allclose(sorted(written.values()), siss_volumes_ml(4), atol=voxel_ml)


def test_given_masks_are_refused_since_their_volumes_are_their_own(tmp_path):
    with pytest.raises(InputError, match="lesions of given volumes are grown"):
        write_siss_like_dataset(tmp_path, 2, settings=PhantomSettings(lesion_masks=tmp_path))
