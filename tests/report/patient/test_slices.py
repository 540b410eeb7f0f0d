from io import BytesIO

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from islesnet.report.charts.canvas import SKY
from islesnet.report.patient.slices import MOST_MONTAGE_SLICES, PatientSlices
from islesnet.report.patient.volumes import PatientVolumes
from tests.report.patient.heads import at, axial, ball, head, patient

AFFINE, SHAPE = axial((4.0, 4.0, 5.0))
MASK = ball(AFFINE, SHAPE, at(40, -20, 0), 12) | ball(AFFINE, SHAPE, at(-40, 20, 20), 8)

BLUE = tuple(round(255 * part) for part in to_rgb(SKY))


def colours_of(panel):
    """The colours of a picture."""
    return {colour for _, colour in Image.open(BytesIO(panel.png)).convert("RGB").getcolors()}


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


def test_brain_mask_is_outlined_low_midway_and_high_and_in_the_other_planes():
    brain = np.zeros(SHAPE, dtype=bool)
    brain[10:30, 10:40, 4:25] = True  # 21 slices, the lowest of which the file calls 5
    panels = PatientSlices(patient(AFFINE, SHAPE, MASK, brain=brain)).brain()
    assert [panel.caption for panel in panels] == [
        "DWI, slice 7", "DWI, slice 15", "DWI, slice 23", "DWI, coronal", "DWI, sagittal",
    ]  # fmt: skip
    assert panels[0].description == "Brain mask on DWI, axial, slice 7"
    assert all(BLUE in colours_of(panel) for panel in panels)


def test_brain_mask_of_one_slice_is_outlined_once():
    brain = np.zeros(SHAPE, dtype=bool)
    brain[10:30, 10:40, 12] = True
    assert PatientSlices(patient(AFFINE, SHAPE, MASK, brain=brain)).brain_slices() == [12]


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
