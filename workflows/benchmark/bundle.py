"""Time and check the bundle on this machine, and print the figures as JSON.

    python -m workflows.benchmark bundle [--real DIR] [--checkpoint model.pt] [--steps 30]

Rates are compared with those of the pure network in the same run, a step of each in turn, so that a noisy machine slows
both. Worker processes would load ahead during the pure network's turn, so where there are any, one is timed after the
other. With a GPU its recipe is timed too. The checks on real volumes need the folder that --real or ISLESNET_REAL_DATA
names; without it they are left out, and the figures say so. The weights are the bundle's own unless --checkpoint names
others; orientations are compared with random ones, whose map is empty nowhere.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from monai.bundle import ConfigParser

from islesnet.data import Case, find_cases, split_cases, write_datalist
from islesnet.errors import InputError
from islesnet.networks import can_compile
from islesnet.networks.trained_with import USUAL_SPACING
from islesnet.phantom import PhantomSettings, write_dataset
from islesnet.segment import bundle_folder, segment_cases
from workflows.benchmark.real_volumes import add_real, why_left_out
from workflows.benchmark.timing import StepTimer, loading, timed
from workflows.command_line import answer, command_line


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark of the bundle."""
    parser = command_line("benchmark", __doc__)
    add_real(parser)
    parser.add_argument("--checkpoint", type=Path, default=bundle_folder() / "models" / "model.pt")
    parser.add_argument("--steps", type=int, default=30, help="of training that are timed")
    return answer(parser, measure, words, goes_on=False)


def measure(arguments: argparse.Namespace) -> int:
    """Measure start-up, inference and geometry on real volumes, and training beside the pure network; print it all."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        weights = arguments.checkpoint if arguments.checkpoint.is_file() else random_weights(scratch)
        figures: dict[str, Any] = {
            "machine": {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "torch": torch.__version__},
            "weights": "random" if weights.parent == scratch else str(weights),
            "start_up_s": {name: start_up(name) for name in ("islesnet --help", "import torch", "import monai")},
        }
        if reason := why_left_out(arguments.real):
            figures["real volumes"] = reason
        else:
            figures["glioma-1mm"] = whole_process(arguments.real / "glioma-1mm", weights, scratch)
            figures["glioma-1mm"] |= stages(arguments.real / "glioma-1mm", weights, scratch)
            figures["isles22-0009"] = geometry(arguments.real / "isles22-0009", weights, scratch)
            figures["orientations"] = orientations(arguments.real / "orientations", random_weights(scratch), scratch)
        figures["training"] = training(scratch / "default", arguments.steps)
        figures["training_wide"] = training(scratch / "wide", arguments.steps, ["wide.yaml"])
        if can_compile():
            figures["training_wide_compiled"] = training(scratch / "compiled", arguments.steps, ["wide.yaml"], True)
        if torch.cuda.is_available():
            figures["training_wide_gpu"] = training(scratch / "gpu", arguments.steps, ["wide.yaml", "wide_gpu.yaml"])
    print(json.dumps(figures, indent=2))
    return 0


def random_weights(folder: Path) -> Path:
    """Write the weights of an untrained network."""
    torch.manual_seed(0)
    network = open_config({"spacing": list(USUAL_SPACING)}, "inference.yaml").get_parsed_content("network_def")
    with torch.no_grad():
        # Probabilities from nearly 0 to nearly 1: a map that is empty everywhere would agree with any other.
        network.network.head.weight *= 50
        network.network.head.bias.zero_()
    torch.save(network.state_dict(), folder / "random.pt")
    return folder / "random.pt"


def open_config(overrides: dict[str, Any], *files: str) -> ConfigParser:
    """Open a stack of the bundle's configs."""
    parser = ConfigParser()
    parser.read_config([str(bundle_folder() / "configs" / file) for file in files])
    parser.update({"bundle_root": str(bundle_folder())} | overrides)
    return parser


def start_up(what: str) -> float:
    """Time a new process, in seconds; the fastest of three."""
    python = [sys.executable, "-c", what] if what.startswith("import") else None
    command = python or [str(Path(sys.executable).parent / "islesnet"), "--help"]
    return min(timed(lambda: subprocess.run(command, capture_output=True, check=True))[0] for _ in range(3))


def whole_process(patient: Path, weights: Path, scratch: Path) -> dict[str, float]:
    """Time `islesnet segment` on one patient, from the start of the process to its end, and its peak memory."""
    command = [str(Path(sys.executable).parent / "islesnet"), "segment", str(patient), "-o", str(scratch / "whole")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, _ = timed(lambda: subprocess.run([*command, "--model", str(weights)], capture_output=True, check=True))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "whole_process_s": seconds,
        "whole_process_cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "peak_memory_gib": round(after.ru_maxrss / 2**20, 2),  # the largest child so far, which this one is
    }


def stages(patient: Path, weights: Path, scratch: Path) -> dict[str, float]:
    """Time the parts of one patient's inference, and compare the network's part with the pure network."""
    parser = open_config(
        {"checkpoint": str(weights), "output_dir": scratch / "stages", "cases": find_cases(patient)}, "inference.yaml"
    )
    network = parser.get_parsed_content("network").eval()
    network.load_state_dict(torch.load(weights, map_location=parser.get_parsed_content("device"), weights_only=True))
    inferer, dataset = parser.get_parsed_content("inferer"), parser.get_parsed_content("dataset")
    postprocess = parser.get_parsed_content("postprocessing")
    with torch.no_grad():
        load_s, loaded = timed(lambda: dataset[0])
        if "failure" in loaded:
            raise InputError(f"{patient}: {loaded['failure']}")
        image = loaded["image"][None].to(parser.get_parsed_content("device"))
        width, height = (-(-size // 32) * 32 for size in image.shape[2:4])
        channels = parser.get_parsed_content("slab_channels")
        slices = torch.randn(8, channels, width, height, device=image.device).to(memory_format=torch.channels_last)
        with _precision(parser, image.device):
            timed(lambda: inferer(image[..., :8], network))  # the first run plans its convolutions
            network_s, logits = timed(lambda: inferer(image, network))
            pure_s = min(timed(lambda: network.network(slices))[0] for _ in range(5)) / 8
        postprocess_s, _ = timed(lambda: postprocess({**loaded, "pred": logits[0]}))
    depth = image.shape[4]
    return {
        "load_and_preprocess_s": load_s,
        "network_s": network_s,
        "postprocess_s": postprocess_s,
        "inference_slices_per_s": round(depth / network_s, 1),
        "inference_share_of_pure_network": round(pure_s * depth / network_s, 2),
    }


def geometry(patient: Path, weights: Path, scratch: Path) -> dict[str, bool]:
    """Compare a mask's header with its DWI's."""
    segment_quietly(find_cases(patient), scratch / "geometry", weights)
    dwi: Any = nibabel.load(next(patient.glob("*_dwi.nii.gz")))
    mask: Any = nibabel.load(next((scratch / "geometry").glob("*_lesion.nii.gz")))
    return {
        "shape": mask.shape == dwi.shape,
        "affine": bool(np.array_equal(mask.affine, dwi.affine)),
        "qform_code": mask.get_qform(coded=True)[1] == dwi.get_qform(coded=True)[1],
        "sform_code": mask.get_sform(coded=True)[1] == dwi.get_sform(coded=True)[1],
    }


def orientations(folder: Path, weights: Path, scratch: Path) -> dict[str, float]:
    """Segment one head stored in seven axis orders and compare the probabilities after reorientation.

    What a map and its mirror image differ by is told beside: much less is needed for the orders to be told apart.
    """
    files = sorted(path for path in folder.glob("*.nii.gz") if path.name != "shear.nii.gz")
    cases = [Case(path.name.removesuffix(".nii.gz"), {"t1": path}) for path in files]
    segment_quietly(cases, scratch / "orientations", weights)
    maps = {case.patient: canonical(scratch / "orientations" / f"{case.patient}_probability.nii.gz") for case in cases}
    differences = [float(np.abs(map_ - maps["RAS"]).mean()) for map_ in maps.values()]
    return {
        "axis_orders": len(maps),
        "largest_mean_absolute_difference": max(differences),
        "mean_absolute_difference_of_a_mirrored_map": float(np.abs(maps["RAS"][::-1] - maps["RAS"]).mean()),
        "mean_probability": round(float(maps["RAS"].mean()), 4),
        "deviation_of_probability": round(float(maps["RAS"].std()), 4),
    }


def canonical(path: Path) -> np.ndarray:
    """Read a volume, brought to right-anterior-superior."""
    return np.asarray(nibabel.as_closest_canonical(nibabel.load(path)).dataobj)


def segment_quietly(cases: list[Case], output: Path, weights: Path) -> None:
    """Segment with probabilities."""
    segment_cases(cases, output, weights, {"save_probability": True})


def training(scratch: Path, steps: int, overlays: Sequence[str] = (), is_compiled: bool = False) -> dict[str, Any]:
    """Time a recipe's training on phantoms, the pure network on batches of the same shape, and the loading alone.

    Args:
        scratch: folder for everything.
        steps: how many are timed.
        overlays: configs that make another recipe of the default one.
        is_compiled: whether the network is compiled, the pure one too.
    """
    dataset = scratch / "phantoms"
    write_dataset(dataset, 4, settings=PhantomSettings(spacing_mm=1.0))
    write_datalist(dataset / "datalist.json", split_cases(find_cases(dataset)), dataset, {"seed": 0})
    overrides = {
        "dataset_dir": str(dataset),
        "output_dir": str(scratch / "training"),
        "ckpt_dir": str(scratch / "models"),
        "epochs": 2,
        # However few the patients, an epoch has more steps than the warm-up and the timing take.
        "visits": f"$@batch_patients * ({steps} + {StepTimer.WARM_UP} + {StepTimer.AHEAD} * @num_workers)",
        "val_interval": 1000,
        "compile_network": is_compiled,
    }
    parser = open_config(overrides, "inference.yaml", "truth.yaml", "train.yaml", *overlays)
    dataset_ = parser.get_parsed_content("train::dataset")
    cache_s, _ = timed(lambda: [dataset_[index] for index in range(len(set(map(str, dataset_.data))))])
    parser.get_parsed_content("initialize")
    workers = parser.get_parsed_content("num_workers")
    trainer, timer = parser.get_parsed_content("train::trainer"), StepTimer(steps, workers)
    timer.attach(trainer)
    trainer.run()
    slices = steps * timer.shape[0] * timer.shape[4]
    pure_s = timer.seconds["pure network"]
    return {
        "batch": list(timer.shape),
        "workers": workers,
        "preprocess_and_cache_s": cache_s,
        "slices_per_s": round(slices / timer.whole_s, 1),
        "pure_network_slices_per_s": round(slices / pure_s, 1),
        "share_of_pure_network": round(pure_s / timer.whole_s, 2),
        "waiting_for_batches": round(timer.seconds["waiting"] / timer.whole_s, 3),
        "trainer_ms_per_step": round(1000 * timer.seconds["trainer"] / steps, 1),
        "loading_alone_slices_per_s": round(loading(dataset_, parser.get_parsed_content("batch_patients"), steps), 1),
    }


def _precision(parser: ConfigParser, device: torch.device) -> torch.autocast:
    """Compute in the bundle's precision: that of its inferer on a CPU, that of its evaluator on a GPU."""
    if device.type == "cpu":
        return torch.autocast("cpu", torch.bfloat16, enabled=parser.get_parsed_content("cpu_bfloat16"))
    return torch.autocast(device.type, torch.float16, enabled=parser.get_parsed_content("amp"))
