"""The recipes that are compared: each trains, and is then scored alone, on either grid, and as an ensemble."""

import re

import pandas as pd
import pytest
import torch
from monai.bundle import ConfigParser
from monai.networks.nets import DynUNet

from islesnet.data import read_datalist
from islesnet.errors import input_error_behind
from islesnet.networks import (
    OperatingPoint,
    SlabNetwork,
    join_weights,
    operating_point_file,
    write_ensemble,
    write_trained_with,
)
from islesnet.transforms import WithoutMeta
from islesnet.trust import AppearanceRanges, describe_appearance, read_appearance
from tests.bundle.conftest import BUNDLE, TINY, open_recipe

pytestmark = pytest.mark.slow


def train(recipe, dataset, folder, **overrides):
    places = {"dataset_dir": str(dataset), "output_dir": str(folder), "ckpt_dir": str(folder / "models")}
    settings = {**TINY, "pretrained": False, "epochs": 1, "warmup_epochs": 0}  # as a command line writes "none"
    workflow = open_recipe(recipe, "training", **{**settings, **places, **overrides})
    workflow.initialize()
    workflow.run()
    return workflow.parser


def evaluate(recipe, dataset, weights, folder, **overrides):
    """Score the test patients.

    Returns:
        the scores, a row a patient, and the files beside them.
    """
    places = {"dataset_dir": str(dataset), "checkpoint": str(weights), "output_dir": str(folder)}
    parser = open_recipe(recipe, "inference", **{"cpu_bfloat16": False, **places, **overrides}).parser
    parser.get_parsed_content("refuse_early")
    parser.get_parsed_content("evaluator").run()
    scores = pd.read_csv(folder / "scores.csv", dtype={"patient": str}).set_index("patient")
    return scores, {path.name for path in folder.iterdir()}


def voxels(scores):
    """Count a patient's voxels."""
    return scores[["true_positives", "false_positives", "false_negatives", "true_negatives"]].sum(axis=1)


@pytest.mark.parametrize(("head", "channels"), [("softmax", 2), ("sigmoid", 1)])
def test_paper_trains_on_one_sequence_with_either_head_and_is_scored(head, channels, dataset, tmp_path):
    choices = {"sequence": "flair", "head": head}

    parser = train("training_paper", dataset, tmp_path, **choices)
    scores, _ = evaluate(
        "evaluate_paper", dataset, tmp_path / "models/model.pt", tmp_path / "out", **choices, spacing=TINY["spacing"]
    )

    with pytest.raises(Exception) as caught:  # the paper's DWI
        evaluate(
            "evaluate_paper",
            dataset,
            tmp_path / "models/model.pt",
            tmp_path / "dwi",
            head=head,
            spacing=TINY["spacing"],
        )
    said = str(input_error_behind(caught.value))
    assert "trained with sequences flair, as " in said and "are to be used with dwi" in said
    weights = torch.load(tmp_path / "models/model.pt", weights_only=True)
    assert weights["network.encoder.conv1.weight"].shape[1] == 3  # three slices
    assert weights["network.head.weight"].shape[0] == channels
    assert not any("detail" in name for name in weights)  # the paper's decoder has the ResNet50's features alone
    assert parser.get_parsed_content("reference_order") == ["flair"]
    assert scores["dice"].between(0, 1).all()


def test_paper_on_all_sequences_has_twelve_channels_and_the_rest_of_the_paper():
    parser = open_recipe("training_paper_all", "training", pretrained=False).parser

    assert parser.get_parsed_content("network_def").network.encoder.conv1.in_channels == 12
    assert parser.get_parsed_content("optimizer").defaults["momentum"] == 0.9
    assert not any(weight.requires_grad for weight in parser.get_parsed_content("resnet50_unet").encoder.parameters())


def test_paper_augments_by_flips_and_rotations_alone(dataset):
    augmentation = open_recipe("training_paper", "training", dataset_dir=str(dataset)).parser.get_parsed_content(
        "augmentation"
    )

    image = torch.rand(3, 32, 32, 4) * 9
    (at_random,) = (step for step in augmentation if isinstance(step, WithoutMeta))
    (affine,) = (step for step in at_random.transforms if type(step).__name__ == "RandAffined")
    (intensity,) = (step for step in at_random.transforms if type(step).__name__ == "RandScaleIntensityd")
    (drop,) = (step for step in at_random.transforms if type(step).__name__ == "RandDropSequencesd")
    assert affine.rand_affine.rand_affine_grid.rotate_range[2] == pytest.approx(torch.pi)
    for _ in range(20):
        torch.testing.assert_close(drop(intensity({"image": image}))["image"], image)
        affine.rand_affine.rand_affine_grid.randomize()
        assert affine.rand_affine.rand_affine_grid.scale_params == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("absent", [(), ("t1", "t2"), ("dwi",)])
def test_no_slab_is_centred_on_air_whatever_sequences_a_patient_lacks(absent, dataset):
    parser = open_recipe("training", "training", **{**TINY, "dataset_dir": str(dataset)}).parser
    prepare = parser.get_parsed_content("train::preprocessing")
    case = read_datalist(dataset / "datalist.json", "training")[0]
    patient = {key: value for key, value in case.items() if key not in absent}

    item = prepare(patient, end=prepare.get_index_of_first(lambda step: isinstance(step, WithoutMeta)))

    shown = item["image"][item["image"].flatten(1).any(dim=1)]
    assert len(shown) == 4 - len(absent)
    air = (shown == -5).all(dim=0).flatten()
    background, lesion = item["label_cls_indices"]
    assert air.float().mean() > 0.2 and len(background) > 1000 and len(lesion) > 10
    assert not air[background].any() and not air[lesion].any()


def test_momentum_of_nine_is_refused_by_the_paper_recipe(dataset):
    parser = open_recipe("training_paper", "training", dataset_dir=str(dataset), pretrained=False, momentum=9).parser

    with pytest.raises(Exception) as caught:  # as MONAI wraps what a config raises
        parser.get_parsed_content("optimizer")

    assert "momentum is 9; it must be at least 0 and below 1" in str(input_error_behind(caught.value))


def test_unknown_head_is_refused_by_name():
    with pytest.raises(Exception) as caught:
        open_recipe("inference", "inference", head="tanh").parser.get_parsed_content("network_def")

    assert str(input_error_behind(caught.value)) == "head is 'tanh'; it can be softmax or sigmoid."


def test_training_keeps_how_its_images_look_as_inference_sees_them_and_a_new_one_sets_it_aside(
    dataset, tmp_path, monkeypatch
):
    for module in ("handlers", "trust"):
        monkeypatch.setattr(f"islesnet.{module}.appearance.FEWEST_IMAGES", 3)
    parser = train("training", dataset, tmp_path)

    kept = read_appearance(tmp_path / "models/model.pt")
    sequences, see = (parser.get_parsed_content(name) for name in ("sequences", "preprocessing"))
    images = [see(case)["image"] for case in read_datalist(dataset / "datalist.json", "training")]
    assert kept == AppearanceRanges.fit(describe_appearance(image, sequences) for image in images)
    assert kept.images == dict.fromkeys(sequences, 3)

    train("training", dataset, tmp_path, described_patients=0)

    assert read_appearance(tmp_path / "models/model.pt") is None
    assert read_appearance(tmp_path / "models/earlier_1/model.pt") == kept


def test_weights_trained_with_the_bias_correction_are_used_with_it_and_a_later_training_sets_that_aside(
    dataset, tmp_path
):
    weights = tmp_path / "models/model.pt"
    train("training", dataset, tmp_path, bias_correction=True, described_patients=0)

    use = open_recipe("inference", "inference", checkpoint=str(weights)).parser
    assert use.get_parsed_content("operating_point") == OperatingPoint(bias_correction=True)
    assert use.get_parsed_content("bias_correction") is True

    train("training", dataset, tmp_path, described_patients=0)

    assert not operating_point_file(weights).exists()
    assert operating_point_file(tmp_path / "models/earlier_1/model.pt").exists()


def test_plain_unet_trains_and_is_as_large_as_the_resnet50_unet(dataset, tmp_path):
    parser = train("training_plain_unet", dataset, tmp_path)
    scores, _ = evaluate("evaluate_plain_unet", dataset, tmp_path / "models/model.pt", tmp_path / "out")

    network = parser.get_parsed_content("network_def")
    assert isinstance(network, SlabNetwork) and isinstance(network.network, DynUNet)
    sizes = [
        sum(weight.numel() for weight in parser.get_parsed_content(name).parameters())
        for name in ("plain_unet", "resnet50_unet")
    ]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.03)
    assert scores["dice"].between(0, 1).all()


def test_network_grid_is_scored_without_masks_on_the_voxels_that_the_network_sees(dataset, weights, tmp_path):
    native, native_files = evaluate("evaluate", dataset, weights, tmp_path / "native")
    network, network_files = evaluate("evaluate_network_grid", dataset, weights, tmp_path / "network")

    assert any(name.endswith("_lesion.nii.gz") for name in native_files)
    assert not any(name.endswith(".nii.gz") for name in network_files)
    assert (voxels(network) < voxels(native)).all()  # cropped to the head
    assert network["true_ml"].tolist() == pytest.approx(native["true_ml"].tolist(), rel=0.1)


def test_network_grid_follows_another_spacing(dataset, weights, tmp_path):
    coarse = torch.load(weights, weights_only=True) | {"spacing_mm": torch.tensor([9.0, 9.0, 6.0])}
    torch.save(coarse, tmp_path / "model.pt")

    fine, _ = evaluate("evaluate_network_grid", dataset, weights, tmp_path / "fine")
    scores, _ = evaluate("evaluate_network_grid", dataset, tmp_path / "model.pt", tmp_path / "coarse")

    assert (voxels(scores) < 0.6 * voxels(fine)).all()
    assert scores["true_ml"].tolist() == pytest.approx(fine["true_ml"].tolist(), rel=0.3)


def test_ensemble_of_two_of_the_same_network_answers_as_that_network(dataset, weights, tmp_path):
    torch.save(join_weights([weights, weights]), tmp_path / "ensemble.pt")

    alone, _ = evaluate("evaluate", dataset, weights, tmp_path / "alone")
    together, files = evaluate("evaluate_ensemble", dataset, tmp_path / "ensemble.pt", tmp_path / "out", members=2)

    assert any(name.endswith("_lesion.nii.gz") for name in files)
    pd.testing.assert_frame_equal(together, alone, atol=1e-3)


def test_weights_of_one_network_are_refused_by_an_ensemble_recipe(dataset, weights, tmp_path):
    with pytest.raises(Exception) as caught:
        evaluate("evaluate_ensemble", dataset, weights, tmp_path, members=2)

    said = str(input_error_behind(caught.value))
    assert "one network, the configured network is an ensemble of 2. Use a recipe without _ensemble" in said
    assert not (tmp_path / "scores.csv").exists()


def test_volumetric_network_is_scored_alone_and_as_an_ensemble(dataset, tmp_path):
    blocks = {"window": [64, 64, 64], "spacing": TINY["spacing"]}
    parser = open_recipe("inference_volumetric", "inference", **blocks).parser
    torch.save(parser.get_parsed_content("network_def").state_dict(), tmp_path / "model.pt")
    write_trained_with(tmp_path / "model.pt", parser.get_parsed_content("trained_with"))
    write_ensemble([tmp_path / "model.pt"] * 2, tmp_path / "ensemble.pt")
    del blocks["spacing"]  # is read from what lies beside the weights

    alone, _ = evaluate("evaluate_volumetric", dataset, tmp_path / "model.pt", tmp_path / "alone", **blocks)
    together, _ = evaluate(
        "evaluate_volumetric_ensemble", dataset, tmp_path / "ensemble.pt", tmp_path / "both", members=2, **blocks
    )
    used = open_recipe("inference_volumetric", "inference", checkpoint=str(tmp_path / "model.pt")).parser
    assert used.get_parsed_content("spacing") == TINY["spacing"]

    pd.testing.assert_frame_equal(together, alone, atol=1e-3)


def test_overlay_that_the_documents_show_makes_a_network_of_the_bundle(tmp_path):
    text = (BUNDLE.parent / "docs/training.md").read_text()
    (overlay,) = re.findall(r"```yaml\n(# configs/mine\.yaml.*?)```", text, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(overlay)
    config = ConfigParser()
    config.read_config([str(BUNDLE / "configs/inference.yaml"), str(tmp_path / "mine.yaml")])

    network = config.get_parsed_content("network_def").eval()

    with torch.no_grad():
        assert network(torch.zeros(1, 4, 33, 26, 3)).shape == (1, 2, 33, 26, 3)
    assert "BasicUNet" in str(network)
