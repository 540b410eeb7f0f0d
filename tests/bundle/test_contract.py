"""What every client of a MONAI bundle relies on."""

import importlib
import importlib.util
import json
import os
import re
import sys
from pathlib import Path

import ignite.distributed as idist
import nibabel
import numpy as np
import pytest
import torch
import torch.distributed
import yaml
from monai.bundle import ConfigParser, ckpt_export, verify_net_in_out
from monai.data import load_net_with_metadata
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems
from monai.fl.utils.exchange_object import ExchangeObject
from monai.transforms import LoadImaged
from monai.utils import set_determinism

from islesnet.data import SEQUENCES, Case
from islesnet.phantom import PhantomSettings, make_patient, write_patient
from islesnet.segment import segment_cases
from islesnet.transforms import NormalizeInBraind
from islesnet.transforms.contrast import REACH
from islesnet.trust import TrustLimits
from tests.bundle.conftest import BUNDLE, TINY, open_recipe, recipe_files

SYSTEMS = ("", "_paper", "_paper_all", "_plain_unet", "_volumetric")
TRAINING = (
    *(f"training{system}" for system in SYSTEMS),
    "training_demo",
    "training_multi_gpu",
    "training_wide",
    "training_wide_gpu",
)
USE = (
    *(f"{use}{system}" for system in SYSTEMS for use in ("inference", "evaluate")),
    *(f"{use}{system}_ensemble" for system in SYSTEMS for use in ("inference", "evaluate")),
    *(f"evaluate{system}_network_grid" for system in SYSTEMS),
)
RECIPES = [*((recipe, "training") for recipe in TRAINING), *((recipe, "inference") for recipe in USE)]
# Run as programs by other tests; resolving them here would train.
PROGRAMS = ("run", "training", "inference", "evaluating", "initialize", "finalize")
SCHEMA = Path(os.environ.get("ISLESNET_MONAI_SCHEMA", BUNDLE.parent.parent / "shared/schema/meta_schema_20240725.json"))


@pytest.fixture
def one_process(monkeypatch):
    """What torchrun tells the only process there is."""
    monkeypatch.setattr("sys.excepthook", sys.excepthook)  # `initialize` sets its own
    told = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    yield
    if torch.distributed.is_initialized():
        idist.sync()
        idist.finalize()  # ignite remembers the group


@pytest.mark.parametrize(("recipe", "workflow_type"), RECIPES)
def test_recipe_has_every_property_that_clients_ask_for(recipe, workflow_type, dataset, tmp_path, one_process):
    weights = tmp_path / "model.pt"
    weights.touch()  # an ensemble's are not shipped
    places = {"dataset_dir": str(dataset), "output_dir": str(tmp_path), "ckpt_dir": str(tmp_path)}
    workflow = open_recipe(recipe, workflow_type, pretrained=None, checkpoint=str(weights), **places)
    workflow.initialize()

    assert workflow.check_properties() == []


@pytest.mark.parametrize(("recipe", "workflow_type"), RECIPES)
def test_every_id_of_the_recipe_resolves(recipe, workflow_type, dataset, tmp_path, one_process):
    overrides = {"output_dir": str(tmp_path), "ckpt_dir": str(tmp_path), "checkpoint": str(tmp_path / "model.pt")}
    if recipe.endswith("_ensemble"):
        overrides["members"] = 2  # five are gigabytes
    workflow = open_recipe(recipe, workflow_type, dataset_dir=str(dataset), pretrained=None, **TINY, **overrides)
    workflow.initialize()
    parser = workflow.parser

    torch.save(parser.get_parsed_content("network_def").state_dict(), tmp_path / "model.pt")
    for name in parser.get():
        if name not in PROGRAMS:
            parser.get_parsed_content(name)

    assert {"run", "initialize"} <= set(parser.get())


def test_hd_bet_computes_where_the_network_does_and_changes_no_key_of_a_trainings_cache(dataset, tmp_path):
    places = {"dataset_dir": str(dataset), "output_dir": str(tmp_path), "device": "cuda:1", "amp": False}
    inference = open_recipe("inference", "inference", **places, spacing=[2.0, 2.0, 2.0]).parser
    training = open_recipe("training", "training", **places).parser

    opening = inference.get_parsed_content("preprocessing").transforms[0]
    preparing = inference.get_parsed_content("prepare").transforms[1]
    assert opening.device == preparing.device == "cuda:1"
    assert training.get_parsed_content("preprocessing").transforms[0].device == "cpu"


def test_limits_of_trust_that_the_config_shows_are_those_of_the_code():
    assert open_recipe("inference", "inference").parser.get_parsed_content("trust_limits") == TrustLimits()


def test_unknown_overrides_are_noticed_here_because_monai_accepts_them_in_silence():
    known = set(open_recipe("training", "training").parser.get()) | {"meta_file", "config_file", "logging_file"}

    for recipe in TRAINING:
        used = set(yaml.safe_load((BUNDLE / "recipes" / f"{recipe}.yaml").read_text()))
        assert used <= known, recipe


def test_no_component_of_the_configs_has_a_modules_name():
    texts = [path.read_text() for path in (BUNDLE / "configs").glob("*.yaml")]
    components = {name for text in texts for name in re.findall(r"_target_: (islesnet\.\S+)", text)}

    # From Python 3.12 on MONAI would take the module for the function.
    assert len(components) > 20
    assert [name for name in components if importlib.util.find_spec(name.rpartition(".")[0]) is None] == []
    for name in components:
        with pytest.raises(ModuleNotFoundError) as missing:
            importlib.import_module(name)
        assert missing.value.name == name


def test_bounds_of_normalised_images_are_the_same_wherever_they_are_named():
    parser = open_recipe("training", "training").parser
    metadata = json.loads((BUNDLE / "configs" / "metadata.json").read_text())
    low, high = NormalizeInBraind("dwi").bounds
    inside = next(step["threshold"] for step in parser["augmentation"] if "threshold" in step)

    assert metadata["network_data_format"]["inputs"]["image"]["value_range"] == [low, high]
    assert low == -REACH
    assert low < inside < low + 0.5


def test_metadata_is_valid_against_monais_schema():
    jsonschema = pytest.importorskip("jsonschema")
    if not SCHEMA.is_file():
        pytest.skip(f"MONAI's schema is not at {SCHEMA}; name it with ISLESNET_MONAI_SCHEMA")
    metadata = json.loads((BUNDLE / "configs/metadata.json").read_text())

    jsonschema.validate(metadata, json.loads(SCHEMA.read_text()))

    assert metadata["version"] in metadata["changelog"]


def test_network_keeps_the_shapes_that_the_metadata_promises():
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(BUNDLE / "configs/metadata.json"),
        config_file=str(BUNDLE / "configs/inference.yaml"),
        device="cpu",
        n=5,
    )


def test_exported_torchscript_gives_the_eager_networks_output(weights, tmp_path):
    exported = tmp_path / "model.ts"
    ckpt_export(
        net_id="network_def",
        filepath=str(exported),
        ckpt_file=str(weights),
        meta_file=str(BUNDLE / "configs/metadata.json"),
        config_file=str(BUNDLE / "configs/inference.yaml"),
        key_in_ckpt="",
    )
    eager = open_recipe("inference", "inference").parser.get_parsed_content("network_def").eval()
    eager.load_state_dict(torch.load(weights, weights_only=True))
    image = torch.randn(1, 4, 45, 38, 11)

    scripted, _, _ = load_net_with_metadata(str(exported))

    with torch.no_grad():
        torch.testing.assert_close(scripted.eval()(image), eager(image))


def test_client_that_hands_over_one_image_gets_the_mask_that_inference_writes(weights, tmp_path):
    """What MONAI Label does with a bundle: each transform in turn, its own loader in the place of a LoadImaged."""
    settings = PhantomSettings(spacing_mm=6.0, volume_ml=(20.0, 80.0))
    patient = write_patient(tmp_path / "anna", make_patient(7, settings), with_label=False)
    case = Case("anna", {name: patient / f"{name}.nii.gz" for name in SEQUENCES})
    choices = {"spacing": TINY["spacing"], "cpu_bfloat16": False, "minimum_lesion_ml": 0}
    segment_cases([case], tmp_path / "out", weights, choices)
    places = {"checkpoint": str(weights), "output_dir": str(tmp_path / "client")}
    parser = open_recipe("inference", "inference", **places, **choices).parser
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(weights, weights_only=True))

    data = {"image": str(patient / "dwi.nii.gz"), "device": "cpu", "model": "islesnet"}
    preprocessing = parser.get_parsed_content("preprocessing").transforms
    for transform in preprocessing:
        data = transform(data)
    with torch.no_grad():
        data["pred"] = parser.get_parsed_content("inferer")(data["image"][None], network)[0]
    for transform in parser.get_parsed_content("postprocessing").transforms:
        data = transform(data)

    mask = nibabel.load(tmp_path / "out" / "anna_lesion.nii.gz")
    assert not any(isinstance(transform, LoadImaged) for transform in preprocessing)
    assert mask.get_fdata().any()
    assert np.array_equal(data["pred"][0], mask.get_fdata())
    assert np.allclose(data["pred"].affine, mask.affine)
    assert json.loads(json.dumps(data["result"]))["is_trusted"] in (True, False)
    assert not (tmp_path / "client").exists()


@pytest.mark.filterwarnings("ignore:executing the bundle config")
def test_federated_client_trains_in_rounds_and_evaluates_what_it_is_sent(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.excepthook", sys.excepthook)  # `initialize` sets its own
    training = {**TINY, "dataset_dir": str(dataset), "output_dir": str(tmp_path / "out"), "ckpt_dir": str(tmp_path)}
    here = {"spacing": TINY["spacing"], "dataset_dir": str(dataset), "output_dir": str(tmp_path / "scored")}
    client = MonaiAlgo(
        str(BUNDLE),
        send_weight_diff=False,
        config_train_filename=recipe_files("training")["config_file"],
        train_kwargs=training,
        config_evaluate_filename=recipe_files("evaluate")["config_file"],
        eval_workflow_name="infer",
        eval_kwargs=here | {"threshold": 0.5, "temperature": 1.0, "offset": 0.0, "bias_correction": False},
    )
    client.initialize({ExtraItems.CLIENT_NAME: "hospital"})

    sent = ExchangeObject(weights={name: value.numpy() for name, value in client.get_weights().weights.items()})
    for _ in range(2):
        client.train(sent)
        sent = ExchangeObject(weights={name: value.numpy() for name, value in client.get_weights().weights.items()})
    metrics = client.evaluate(sent).metrics

    assert client.trainer.state.epoch == 2
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == ["last.pt", "model.pt"]
    assert not list(tmp_path.glob("earlier_*"))  # the second round goes on from the first
    assert 0 <= metrics["val_dice"] <= 1
    client.finalize()
    set_determinism(None)


def test_preprocessed_patients_are_found_again_whatever_the_seed(dataset):
    hashes = set()
    try:
        for seed in (0, 1, None):
            set_determinism(seed)
            parser = open_recipe("training", "training", dataset_dir=str(dataset), pretrained=None).parser
            hashes.add(parser.get_parsed_content("train::dataset").transform_hash)
    finally:
        set_determinism(None)

    assert len(hashes) == 1


@pytest.mark.parametrize("recipe", ["training", "training_multi_gpu"])
def test_every_training_begins_with_the_weights_that_it_is_told_to_start_from(recipe):
    config = ConfigParser()
    config.read_config([str(BUNDLE / file) for file in recipe_files(recipe)["config_file"]])

    network = config["network"]

    # Over several processes it stands within DistributedDataParallel.
    assert (network["module"] if isinstance(network, dict) else network) == "@started_network"
    assert config["started_network"]["path"] == "@start_from"
