import signal

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError
from islesnet.scanner import align, coregister
from islesnet.scanner.rigid import inverse, mean_distance_mm, move_header, turned

MOTION = turned(np.array([6.0, -5.0, 8.0]), np.array([0.0, 17.0, 5.0]), np.array([9.0, -7.0, 5.0]))


@pytest.fixture(scope="module")
def found(head):
    """How the T1 of a head that has moved was brought to the DWI."""
    return align(head["dwi"], move_header(head["t1"], inverse(MOTION)))


def noise():
    image = sitk.GetImageFromArray(np.random.default_rng(0).uniform(0, 100, (30, 40, 40)).astype(np.float32))
    image.SetSpacing([5.0, 5.0, 5.0])
    image.SetOrigin([-100.0, -100.0, -75.0])
    return image


def test_head_that_has_moved_is_brought_back_to_a_millimetre(found, brain_points):
    assert mean_distance_mm(found.transform, MOTION, brain_points) < 1.0
    assert found.is_trusted
    assert found.quality > found.quality_before


def test_size_of_the_motion_is_told(found):
    assert found.rotation_deg == pytest.approx(np.linalg.norm([6, -5, 8]), abs=0.7)
    assert found.moved_mm == pytest.approx(np.linalg.norm([9, -7, 5]), abs=5)
    assert "moved by" in found.reason


def test_offset_of_a_scan_does_not_matter(head, found):
    again = align(head["dwi"] - 1024.0, move_header(head["t1"] + 500.0, inverse(MOTION)))
    assert again.is_trusted
    assert again.transform.GetParameters() == pytest.approx(found.transform.GetParameters(), abs=0.3)


def test_registration_is_the_same_every_time(head, found):
    again = align(head["dwi"], move_header(head["t1"], inverse(MOTION)))
    # Sums over unevenly aligned memory may differ in the last bit, which many steps make a few billionths of a mm.
    assert again.transform.GetParameters() == pytest.approx(found.transform.GetParameters(), abs=1e-6)


def ball(size, centre):
    places = np.indices((size,) * 3).reshape(3, -1).T
    array = (np.linalg.norm(places - centre, axis=1) < 20).reshape((size,) * 3)
    image = sitk.GetImageFromArray(np.float32(100) * array)
    image.SetSpacing([3.0, 3.0, 3.0])
    return image


def test_a_start_on_flat_ground_does_not_end_the_search():
    found = align(ball(60, (30, 30, 30)), ball(150, (110, 110, 110)))
    assert found.moved_mm == pytest.approx(3 * np.linalg.norm([80, 80, 80]), abs=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])  # Ctrl-C; what the workflows treat like it
def test_interruption_of_a_registration_comes_out_of_it_without_a_traceback(head, monkeypatch, capfd, number):
    measure, values = sitk.ImageRegistrationMethod.GetMetricValue, []

    def measure_and_interrupt(method):
        values.append(measure(method))
        signal.raise_signal(number)
        return values[-1]

    monkeypatch.setattr(sitk.ImageRegistrationMethod, "GetMetricValue", measure_and_interrupt)
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            align(head["dwi"], move_header(head["t1"], inverse(MOTION)))
    finally:
        signal.signal(number, before)

    assert len(values) == 1  # the optimiser takes no further step
    assert "Traceback" not in capfd.readouterr().err


def test_sequences_that_match_on_one_grid_are_not_moved(head):
    found = align(head["dwi"], head["flair"])
    assert found.is_trusted
    assert found.moved_mm == 0
    assert found.reason == "lies on the reference already"


def test_one_grid_does_not_hide_that_the_head_has_moved(head, brain_points):
    crooked = sitk.Resample(head["t1"], head["t1"], inverse(MOTION))
    found = align(head["dwi"], crooked)
    assert mean_distance_mm(found.transform, MOTION, brain_points) < 1.5


def test_scan_of_nothing_is_flagged_and_left_out(head):
    patient = coregister({"dwi": head["dwi"], "t1": noise()}, "dwi")
    assert not patient.alignments["t1"].is_trusted
    assert patient.alignments["t1"].reason
    assert list(patient.images) == ["dwi"]


def test_adc_whose_axes_are_stored_in_another_order_goes_where_its_dwi_goes(head):
    adc = sitk.DICOMOrient(head["dwi"], "SRA") + 100.0
    assert adc.GetSize() != head["dwi"].GetSize()
    patient = coregister({"adc": adc, "dwi": head["dwi"]}, "dwi")
    assert patient.alignments["adc"].reason == "was made of the reference"
    assert patient.images["adc"].GetOrigin() == adc.GetOrigin()


def test_adc_goes_where_its_dwi_goes(head):
    dwi = move_header(head["dwi"], inverse(MOTION))
    adc = dwi + 100.0
    patient = coregister({"adc": adc, "dwi": dwi, "t1": head["t1"]}, "t1")
    assert patient.alignments["adc"] == patient.alignments["dwi"]
    assert patient.images["adc"].GetOrigin() == patient.images["dwi"].GetOrigin()
    assert list(patient.images) == ["adc", "dwi", "t1"]


def test_voxels_are_not_touched_and_the_input_is_left_as_it_was(head):
    moving = move_header(head["t1"], inverse(MOTION))
    origin = moving.GetOrigin()
    patient = coregister({"dwi": head["dwi"], "t1": moving}, "dwi")
    assert np.array_equal(sitk.GetArrayViewFromImage(patient.images["t1"]), sitk.GetArrayViewFromImage(moving))
    assert moving.GetOrigin() == origin
    assert patient.images["dwi"].GetOrigin() == head["dwi"].GetOrigin()


def test_reference_that_is_absent_is_named():
    with pytest.raises(InputError, match="There is no dwi to register to; there are t1"):
        coregister({"t1": noise()}, "dwi")


def read(path):
    return sitk.ReadImage(str(path), sitk.sitkFloat32)


def test_real_raw_sequences_are_brought_together(real_data):
    names = {name: f"TCGA-FG-6692_native_{name.upper()}.nii.gz" for name in ("flair", "t1", "t2")}
    patient = coregister({name: read(real_data / "raw-oblique" / file) for name, file in names.items()}, "flair")
    assert all(found.is_trusted for found in patient.alignments.values())
    # The T2's header is wrong by 18 degrees; after registration there and back agree.
    assert patient.alignments["t2"].rotation_deg == pytest.approx(18, abs=1)
    assert patient.alignments["t1"].disagreement_mm < 1.2


def test_real_prepared_sequences_are_not_moved(real_data):
    folder = real_data / "glioma-1mm"
    names = {"flair": "fla", "t1": "t1", "t2": "t2"}
    patient = coregister({name: read(folder / f"TCGA-DU-7294_brats_{end}.nii.gz") for name, end in names.items()}, "t1")
    assert {found.moved_mm for found in patient.alignments.values()} == {0.0}


def test_real_scan_of_another_person_is_flagged(real_data):
    dwi = read(real_data / "isles22-mca" / "dwi.mha")
    other = read(real_data / "raw-oblique" / "TCGA-FG-6692_native_T1.nii.gz")
    assert not align(dwi, other).is_trusted
