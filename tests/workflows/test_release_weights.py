import hashlib

import torch
from torch import nn

from islesnet.networks import require_weights, write_trained_with
from islesnet.networks.trained_with import read_trained_with
from workflows.release_weights import write_half_precision


def test_weights_are_half_as_large_with_their_checksum_beside_them(tmp_path):
    network = nn.Sequential(nn.Conv2d(8, 64, 3), nn.BatchNorm2d(64))
    torch.save(network.state_dict(), tmp_path / "trained.pt")

    write_trained_with(tmp_path / "trained.pt", {"sequences": ["dwi"]})
    written = write_half_precision(tmp_path / "trained.pt", tmp_path / "model.pt")

    state = torch.load(written, weights_only=True)
    assert state["0.weight"].dtype == torch.float16
    assert state["1.running_var"].dtype == torch.float32
    assert written.stat().st_size < 0.7 * (tmp_path / "trained.pt").stat().st_size
    digest, name = (tmp_path / "model.pt.sha256").read_text().split()
    assert digest == hashlib.sha256(written.read_bytes()).hexdigest() and name == "model.pt"
    require_weights(written, network)
    assert read_trained_with(written) == {"sequences": ["dwi"]}
