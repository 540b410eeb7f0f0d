from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from islesnet.report.patient.slices import MOST_MONTAGE_SLICES, PatientSlices
from islesnet.report.patient.volumes import PatientVolumes
from tests.report.patient.heads import at, axial, ball, head, patient

AFFINE, SHAPE = axial((4.0, 4.0, 5.0))
MASK = ball(AFFINE, SHAPE, at(40, -20, 0), 12) | ball(AFFINE, SHAPE, at(-40, 20, 20), 8)


def test_key_slice_shows_the_reference_bare_and_every_sequence_outlined():
    panels = PatientSlices(patient(AFFINE, SHAPE, MASK)).of_lesion(1)
    assert [panel.caption for panel in panels] == ["DWI, no outline", "DWI", "T1"]
    assert "slice 16" in panels[1].description
    assert len({Image.open(BytesIO(panel.png)).size for panel in panels}) == 1


def test_montage_has_every_slice_with_lesion_numbered_as_in_the_file():
    volumes = patient(AFFINE, SHAPE, MASK)
    captions = [panel.caption for panel in PatientSlices(volumes).montage()]
    assert captions == [str(index + 1) for index in np.flatnonzero(MASK.any(axis=(0, 1)))]


def test_montage_of_too_many_slices_is_spread_from_the_first_to_the_last():
    mask = np.ones((3, 3, 100))
    chosen = PatientSlices(PatientVolumes(mask, np.eye(4), {"t1": mask})).montage_slices()
    assert len(chosen) == MOST_MONTAGE_SLICES
    assert (chosen[0], chosen[-1]) == (0, 99)


def test_registration_is_drawn_in_three_planes_with_their_ends():
    panels = PatientSlices(patient(AFFINE, SHAPE, MASK)).registration("t1")
    assert [panel.caption for panel in panels] == ["T1, axial", "T1, coronal", "T1, sagittal"]


def test_without_a_lesion_every_sequence_is_drawn_in_the_slice_with_the_most_brain():
    panels = PatientSlices(patient(AFFINE, SHAPE, np.zeros(SHAPE))).of_middle()
    assert [panel.caption for panel in panels] == ["DWI, slice 16", "T1, slice 16"]


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_blank_sequence_is_drawn_without_a_warning(recwarn, value):
    blank = np.full(SHAPE, value)
    slices = PatientSlices(PatientVolumes(MASK, AFFINE, {"dwi": head(AFFINE, SHAPE), "flair": blank}))
    assert slices.of_lesion(1)
    assert slices.registration("flair")
    assert PatientSlices(PatientVolumes(np.zeros(SHAPE), AFFINE, {"dwi": blank})).of_middle()
    assert not recwarn.list
