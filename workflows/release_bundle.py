"""Pack the bundle as MONAI's clients expect one: a recipe is one merged config, with the weights and the card.

`monai.bundle.load` and the programs built on it open ``configs/train.json`` and ``configs/inference.json`` and know
nothing of stacks of configs. The release needs islesnet installed, as its metadata says, and no checkout.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from monai.bundle import ConfigParser

from islesnet.errors import InputError
from islesnet.networks import operating_point_file, require_weights, trained_with_file
from islesnet.networks.weight_files import checksum_of
from islesnet.trust import appearance_file, subsets_file
from workflows.bundle_config import open_recipe
from workflows.command_line import answer, command_line
from workflows.commands import BUNDLE

NAME = "islesnet"
# Config of the release -> recipe whose stack it is. The names are MONAI's.
CONFIGS = {"train": "training", "evaluate": "evaluate", "inference": "inference"}


def main(words: Sequence[str] | None = None) -> int:
    """Write the release into a folder, and the same as a zip archive."""
    parser = command_line("release_bundle", __doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("results/release"), help="where to; DIR/islesnet is the bundle"
    )
    return answer(parser, _release, words, goes_on=False)


def release_bundle(target: Path) -> Path:
    """Write the bundle as a folder that stands alone, and pack it beside as ``<name>_v<version>.zip``.

    Args:
        target: of the folder, which must not be there.

    Returns:
        The archive, of the name that `monai.bundle.download` looks for.

    Raises:
        InputError: the folder is there, or the weights are damaged, of another network, or not meant to be released.
    """
    if target.exists():
        raise InputError(f"{target} is there already: move it away, or name another folder with --out.")
    weights = BUNDLE / "models" / "model.pt"
    _require_releasable(weights)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    _write_configs(part / "configs")
    (part / "models").mkdir()
    for file in (weights, *_files_beside(weights)):
        shutil.copy2(file, part / "models")
    shutil.copytree(BUNDLE / "docs", part / "docs")
    shutil.copy2(BUNDLE / "LICENSE", part)
    part.rename(target)
    version = ConfigParser.load_config_file(target / "configs" / "metadata.json")["version"]
    archive = f"{target}_v{version}"
    return Path(shutil.make_archive(archive, "zip", target.parent, target.name))


def _release(arguments: argparse.Namespace) -> int:
    bundle = arguments.out / NAME
    archive = release_bundle(bundle)
    print(f"The bundle is {bundle}; packed, {archive}")
    return 0


def _require_releasable(weights: Path) -> None:
    """Refuse weights that the card beside them does not describe."""
    bundle = open_recipe("recipes/inference.yaml", {})
    require_weights(weights, *(bundle.get_parsed_content(name) for name in ("network_def", "trained_with")))
    if not checksum_of(weights).is_file():
        raise InputError(
            f"{weights} has no checksum beside it, as a training leaves it, and the card in docs and metadata.json "
            "describe the shipped weights. Rewrite both for these, then say in models that they are to be released: "
            f"sha256sum {weights.name} > {checksum_of(weights).name}"
        )


def _write_configs(folder: Path) -> None:
    """Merge the stack of each recipe into one JSON file, so that nothing of it is declared twice."""
    folder.mkdir(parents=True)
    for name, recipe in CONFIGS.items():
        arguments = ConfigParser.load_config_file(BUNDLE / "recipes" / f"{recipe}.yaml")
        merged = ConfigParser()
        merged.read_config([str(BUNDLE / file) for file in arguments["config_file"]])
        content = {key: value for key, value in merged.get().items() if key != ConfigParser.meta_key}
        ConfigParser.export_config_file(content, str(folder / f"{name}.json"), indent=2)
    for file in ("metadata.json", "logging.conf"):
        shutil.copy2(BUNDLE / "configs" / file, folder)


def _files_beside(weights: Path) -> list[Path]:
    """List what belongs to weights and is there; without it thresholds and checks would be other ones."""
    beside = (checksum_of, trained_with_file, operating_point_file, appearance_file, subsets_file)
    return [file for file_of in beside if (file := file_of(weights)).is_file()]


if __name__ == "__main__":
    sys.exit(main())
