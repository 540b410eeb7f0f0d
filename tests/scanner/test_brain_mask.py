from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from nilearn.datasets import load_mni152_brain_mask
from scipy import ndimage

from islesnet.errors import InputError
from islesnet.scanner import find_brain, image_of, is_extracted
from islesnet.scanner.hd_bet import WEIGHTS


def dice(found, truth):
    found, truth = (sitk.GetArrayViewFromImage(image) > 0 for image in (found, truth))
    return 2 * (found & truth).sum() / (found.sum() + truth.sum())


def extracted(head, sequence):
    return sitk.Mask(head[sequence], head["brain"])


@pytest.mark.parametrize("sequence", ["dwi", "flair"])
def test_brain_is_found_in_a_head_with_skull(head, sequence):
    brain = find_brain(head[sequence], way="template")
    assert brain.way == "template"
    assert brain.mask.GetPixelID() == sitk.sitkUInt8
    assert dice(brain.mask, head["brain"]) > 0.92


@pytest.mark.parametrize("offset", [-1024.0, 500.0])
def test_brain_is_found_whatever_value_the_background_has(head, offset):
    found, shifted = (find_brain(image, way="template").mask for image in (head["dwi"], head["dwi"] + offset))
    assert dice(found, shifted) > 0.98


@pytest.mark.parametrize("sequence", ["dwi", "t1", "t2", "flair"])
def test_extracted_brain_is_known_as_such_and_a_head_is_not(head, sequence):
    assert is_extracted(extracted(head, sequence))
    assert not is_extracted(head[sequence])


def test_extracted_brain_is_known_where_one_corner_was_written_over(head):
    brain = extracted(head, "t1")
    brain[:3, :3, :3] = 1000.0
    assert is_extracted(brain)


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_few_slices_of_an_extracted_brain_are_known_as_such(head, slices):
    middle = head["t1"].GetSize()[2] // 2
    assert is_extracted(extracted(head, "t1")[:, :, middle : middle + slices])


@pytest.mark.parametrize("order", ["LPS", "PIR", "RSP"])
def test_slab_of_a_head_in_a_background_of_zeros_has_its_skull(head, order):
    air = sitk.Mask(head["t2"], sitk.BinaryMorphologicalClosing(head["t2"] > 30, [4, 4, 4]))
    middle = head["t2"].GetSize()[2] // 2
    thickness = round(70 / head["t2"].GetSpacing()[2])
    slab = air[:, :, middle - thickness // 2 : middle + thickness // 2]
    brain = sitk.Mask(slab, head["brain"][:, :, middle - thickness // 2 : middle + thickness // 2])

    assert not is_extracted(sitk.DICOMOrient(slab, order))
    assert is_extracted(sitk.DICOMOrient(brain, order))


@pytest.mark.parametrize(("loose_mm", "height_mm"), [(0, 90), (1, 90), (2, 90), (0, 200), (1, 200)])
def test_average_brain_in_a_loose_mask_is_extracted_whole_or_as_a_slab(loose_mm, height_mm):
    average = load_mni152_brain_mask(resolution=1)
    mask = (
        ndimage.binary_dilation(average.get_fdata() > 0, iterations=loose_mm) if loose_mm else average.get_fdata() > 0
    )
    top = int(np.flatnonzero(mask.any((0, 1))).max()) + 1
    slab = np.where(mask, 100.0, 0.0)[:, :, max(0, top - height_mm) : top]

    assert is_extracted(image_of(np.pad(slab, ((8, 8), (8, 8), (0, 0))).astype(np.float32), average.affine))


def test_extracted_brain_is_taken_as_it_is(head):
    # The background of a prepared scan is one value, not always 0.
    brain = find_brain(extracted(head, "t1") - 0.005)
    assert brain.way == "extracted already"
    assert dice(brain.mask, head["brain"]) > 0.97


def test_mask_of_the_user_comes_first_on_whatever_grid(head):
    finer = sitk.Expand(head["brain"], [2, 2, 2], sitk.sitkNearestNeighbor)
    brain = find_brain(head["t1"], given=finer)
    assert brain.way == "given"
    assert dice(brain.mask, head["brain"]) > 0.99


def test_mask_of_another_place_is_refused(head):
    elsewhere = sitk.Image(head["brain"])
    elsewhere.SetOrigin([5000.0, 0.0, 0.0])
    with pytest.raises(InputError, match="empty where the scan lies"):
        find_brain(head["t1"], given=elsewhere)


def test_unknown_way_is_refused(head):
    with pytest.raises(InputError, match="'bet'; there are auto, hd-bet, template"):
        find_brain(head["t1"], way="bet")


def install_hd_bet(folder, monkeypatch, script):
    """Put a command of that name on the path, and weights where HD-BET looks for them."""
    command = folder / "bin" / "hd-bet"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    weights = folder / WEIGHTS
    weights.parent.mkdir(parents=True)
    weights.touch()
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    monkeypatch.setattr(Path, "home", lambda: folder)


def test_hd_bet_is_taken_where_it_is_installed(head, tmp_path, monkeypatch):
    sitk.WriteImage(head["brain"], tmp_path / "brain.nii.gz")
    script = f'[ "$1$3$5" = "-i-o-device" ] && cp {tmp_path}/brain.nii.gz "${{4%.nii.gz}}_bet.nii.gz"'
    install_hd_bet(tmp_path, monkeypatch, script)
    brain = find_brain(head["t1"])
    assert brain.way == "hd-bet"
    assert dice(brain.mask, head["brain"]) == 1


@pytest.mark.parametrize("device", ["cpu", "cuda:1"])
def test_hd_bet_computes_on_the_device_that_is_asked_for(head, tmp_path, monkeypatch, device):
    sitk.WriteImage(head["brain"], tmp_path / "brain.nii.gz")
    script = f'[ "$5 $6" = "-device {device}" ] && cp {tmp_path}/brain.nii.gz "${{4%.nii.gz}}_bet.nii.gz"'
    install_hd_bet(tmp_path, monkeypatch, script)

    assert find_brain(head["t1"], device=device).way == "hd-bet"


def test_hd_bet_that_fails_on_a_gpu_is_run_on_the_cpu_with_a_warning(head, tmp_path, monkeypatch, caplog):
    sitk.WriteImage(head["brain"], tmp_path / "brain.nii.gz")
    on_gpu = '[ "$6" = cuda ] && { echo out of memory >&2; exit 1; }'
    install_hd_bet(tmp_path, monkeypatch, f'{on_gpu}; cp {tmp_path}/brain.nii.gz "${{4%.nii.gz}}_bet.nii.gz"')

    brain = find_brain(head["t1"], device="cuda")

    assert brain.way == "hd-bet" and dice(brain.mask, head["brain"]) == 1
    assert caplog.messages == ["HD-BET failed (out of memory) on cuda; it is run on the CPU, which takes longer."]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_hd_bet_that_fails_on_the_cpu_is_not_run_again(head, tmp_path, monkeypatch, device):
    install_hd_bet(tmp_path, monkeypatch, f"echo $6 >> {tmp_path}/devices")

    with pytest.raises(InputError, match="HD-BET wrote no mask"):
        find_brain(head["t1"], way="hd-bet", device=device)

    assert (tmp_path / "devices").read_text().split() == list(dict.fromkeys([device, "cpu"]))


def test_failure_of_hd_bet_is_said_in_its_words(head, tmp_path, monkeypatch):
    install_hd_bet(tmp_path, monkeypatch, "echo out of memory >&2; exit 1")
    with pytest.raises(InputError, match=r"HD-BET failed \(out of memory\)"):
        find_brain(head["t1"], way="hd-bet")


def test_hd_bet_without_weights_is_never_run(head, tmp_path, monkeypatch):
    install_hd_bet(tmp_path, monkeypatch, "touch ran")
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(InputError, match="HD-BET is not ready"):
        find_brain(head["t1"], way="hd-bet")


def test_real_extracted_brain_is_that_of_its_mask(real_data):
    folder = real_data / "glioma-1mm"
    truth = sitk.ReadImage(str(folder / "TCGA-DU-7294_brats_br_ss_t1_mask.nii.gz"))
    for sequence in ("fla", "t1", "t2"):
        brain = find_brain(sitk.ReadImage(str(folder / f"TCGA-DU-7294_brats_{sequence}.nii.gz")))
        assert brain.way == "extracted already"
        assert dice(brain.mask, truth) > 0.98
