import gzip
import hashlib

import pytest
import torch
from torch import nn

from islesnet.errors import InputError
from islesnet.networks import (
    EnsembleNetwork,
    OperatingPoint,
    SlabNetwork,
    join_weights,
    operating_point_file,
    read_operating_point,
    require_weights,
    start_from,
    trained_spacing,
    write_ensemble,
)
from islesnet.networks.weight_files import read_state_dict, save_tensors


def save(network, path):
    torch.save(network.state_dict(), path)
    return path


def slab_network(spacing=(1.0, 1.0, 1.0), channels=3):
    return SlabNetwork(nn.Conv2d(channels, 2, 1), spacing=spacing)


def test_missing_weights_are_refused_with_the_way_to_come_by_them(tmp_path):
    with pytest.raises(
        InputError, match=r"There are no weights at .*model\.pt\. Train them .* or name a file: --checkpoint"
    ):
        require_weights(tmp_path / "model.pt", nn.Conv2d(1, 1, 1))


def test_weights_damaged_anywhere_are_refused_in_the_users_terms(tmp_path):
    network = nn.Conv2d(4, 4, 3)
    path = save(network, tmp_path / "model.pt")
    whole = path.read_bytes()
    outcomes = set()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            require_weights(path, network)
            outcomes.add("unharmed")  # a time stamp, or padding
        except InputError:
            outcomes.add("refused")

    assert outcomes == {"unharmed", "refused"}


def test_damaged_weights_are_refused_without_a_checksum_beside_them_too(tmp_path):
    network = nn.Conv2d(16, 16, 3)
    path = save(network, tmp_path / "model.pt")
    content = bytearray(path.read_bytes())
    place = content.find(network.weight.detach().numpy().tobytes())
    content[place + 100] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"are damaged \(.*data/\d+\)"):
        require_weights(path, network)


def test_weights_of_the_configured_network_are_accepted(tmp_path):
    torch.save(nn.Conv2d(1, 1, 1).state_dict(), tmp_path / "model.pt")

    require_weights(str(tmp_path / "model.pt"), nn.Conv2d(1, 1, 1))


def test_weights_of_another_network_or_none_are_refused_by_name(tmp_path):
    torch.save(nn.Conv2d(3, 1, 1).state_dict(), tmp_path / "model.pt")
    (tmp_path / "empty.pt").touch()

    with pytest.raises(InputError, match=r"'weight' has shape \(1, 3, 1, 1\), the configured network needs \(1, 1, 1"):
        require_weights(tmp_path / "model.pt", nn.Conv2d(1, 1, 1))
    with pytest.raises(InputError, match=r"empty\.pt is not a file of tensors"):
        require_weights(tmp_path / "empty.pt", nn.Conv2d(1, 1, 1))


def test_file_that_is_no_weights_is_refused_without_pytorchs_advice(tmp_path):
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(gzip.compress(b"n+1"))

    with pytest.raises(InputError) as caught:
        require_weights(path, nn.Conv2d(1, 1, 1))

    assert str(caught.value) == f"weights: {path} is not a file of tensors written by torch.save."
    assert "weights_only" in str(caught.value.__cause__)


def test_weights_with_entries_that_the_network_lacks_are_refused(tmp_path):
    path = save(nn.Conv2d(1, 1, 1), tmp_path / "model.pt")

    with pytest.raises(InputError, match=r"of another network: 1 entries are too many, the first is 'bias'"):
        require_weights(path, nn.Conv2d(1, 1, 1, bias=False))


def test_weights_trained_on_other_voxels_are_refused_with_both(tmp_path):
    path = save(slab_network((2.0, 2.0, 2.0)), tmp_path / "model.pt")

    with pytest.raises(
        InputError, match=r"^The weights .* on voxels of \(2\.0, 2\.0, 2\.0\) mm, .* on \(1\.0, 1\.0, 1"
    ):
        require_weights(path, slab_network())


def test_every_members_voxels_are_checked(tmp_path):
    weights = EnsembleNetwork(slab_network(), 3).state_dict()
    weights["members.2.spacing_mm"] = torch.tensor([1.0, 1.0, 5.0])
    torch.save(weights, tmp_path / "ensemble.pt")

    with pytest.raises(InputError, match=r"^members\.2 of the weights at .* on voxels of \(1\.0, 1\.0, 5\.0\) mm"):
        require_weights(tmp_path / "ensemble.pt", EnsembleNetwork(slab_network(), 3))


@pytest.mark.parametrize(
    ("there", "here", "sentence"),
    [
        (0, 5, r"are one network, the configured network is an ensemble of 5\. Use a recipe without _ensemble"),
        (2, 0, r"are an ensemble of 2, the configured network is one network\. Use .* _ensemble and --members 2"),
        (12, 5, r"are an ensemble of 12, the configured network is an ensemble of 5\. Use .* --members 12"),
    ],
)
def test_weights_of_another_number_of_networks_are_refused_with_what_to_do(there, here, sentence, tmp_path):
    def network(members):
        return EnsembleNetwork(slab_network(), members) if members else slab_network()

    path = save(network(there), tmp_path / "model.pt")

    with pytest.raises(InputError, match=sentence):
        require_weights(path, network(here))


def test_joined_weights_are_those_of_an_ensemble_member_by_member(tmp_path):
    networks = [slab_network() for _ in range(11)]  # more than nine: the tenth comes after the ninth
    paths = [save(network, tmp_path / f"{number}.pt") for number, network in enumerate(networks)]

    ensemble = EnsembleNetwork(slab_network(), 11)
    ensemble.load_state_dict(join_weights(paths))

    for member, network in zip(ensemble.members, networks, strict=True):
        torch.testing.assert_close(member.state_dict(), network.state_dict())


def test_joined_weights_are_accepted_once_they_are_written(tmp_path):
    torch.save(join_weights([save(slab_network(), tmp_path / "one.pt")] * 2), tmp_path / "ensemble.pt")

    require_weights(tmp_path / "ensemble.pt", EnsembleNetwork(slab_network(), 2))


def test_networks_that_cannot_be_joined_are_named(tmp_path):
    first = save(slab_network(), tmp_path / "first.pt")
    wide = save(slab_network(channels=6), tmp_path / "wide.pt")
    coarse = save(slab_network((2.0, 2.0, 2.0)), tmp_path / "coarse.pt")

    with pytest.raises(
        InputError, match=r"wide\.pt differs from .*first\.pt: 'network\.weight' has shape \(2, 6, 1, 1"
    ):
        join_weights([first, wide])
    with pytest.raises(InputError, match=r"coarse\.pt was trained on voxels of \(2.*first\.pt on \(1\.0"):
        join_weights([first, coarse])
    with pytest.raises(InputError, match=r"there is no file .*absent\.pt"):
        join_weights([first, tmp_path / "absent.pt"])
    with pytest.raises(InputError, match="none are given"):
        join_weights([])


def test_ensemble_is_used_with_the_bias_corrected_where_its_members_are(tmp_path):
    paths = [save(slab_network(), tmp_path / f"{number}.pt") for number in range(2)]
    for path, threshold in zip(paths, (0.3, 0.4), strict=True):
        OperatingPoint(threshold=threshold, bias_correction=True).write(operating_point_file(path))

    write_ensemble(paths, tmp_path / "ensemble.pt")

    assert read_operating_point(tmp_path / "ensemble.pt") == OperatingPoint(bias_correction=True)
    require_weights(tmp_path / "ensemble.pt", EnsembleNetwork(slab_network(), 2))


def test_operating_point_that_all_members_share_is_the_ensembles_unless_it_has_its_own(tmp_path):
    member, ensemble = save(slab_network(), tmp_path / "member.pt"), tmp_path / "ensemble.pt"
    write_ensemble([member] * 2, ensemble)
    assert not operating_point_file(ensemble).exists()

    OperatingPoint(threshold=0.3, temperature=2.0).write(operating_point_file(member))
    write_ensemble([member] * 2, ensemble)
    assert read_operating_point(ensemble) == read_operating_point(member)

    OperatingPoint(threshold=0.7).write(operating_point_file(ensemble))
    write_ensemble([member] * 2, ensemble)
    assert read_operating_point(ensemble) == OperatingPoint(threshold=0.7)


@pytest.mark.parametrize(("thresholds", "expected"), [((0.7, 0.7), 0.7), ((0.6, 0.7), 0.5)])
def test_operating_point_of_earlier_members_is_not_that_of_later_ones(thresholds, expected, tmp_path):
    ensemble, members = tmp_path / "ensemble.pt", [tmp_path / f"{number}.pt" for number in range(2)]
    for threshold in ((0.3, 0.3), thresholds):
        for member, own in zip(members, threshold, strict=True):
            OperatingPoint(threshold=own).write(operating_point_file(save(slab_network(), member)))
        write_ensemble(members, ensemble)

    assert read_operating_point(ensemble) == OperatingPoint(threshold=expected)


def test_networks_that_are_shown_different_things_are_not_joined(tmp_path):
    plain, corrected = (save(slab_network(), tmp_path / f"{name}.pt") for name in ("plain", "corrected"))
    OperatingPoint(bias_correction=True).write(operating_point_file(corrected))

    with pytest.raises(InputError, match=r"corrected\.pt is used with bias_correction True, .*plain\.pt with False"):
        join_weights([plain, corrected])


def with_checksum(path, digest=None):
    digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    return path


def test_weights_that_their_checksum_was_made_of_are_accepted(tmp_path):
    network = nn.Conv2d(1, 1, 1)

    require_weights(with_checksum(save(network, tmp_path / "model.pt")), network)


def test_log_says_which_weights_are_used_and_where_the_released_ones_are(tmp_path, caplog):
    caplog.set_level("INFO")
    network = nn.Conv2d(1, 1, 1)
    (tmp_path / "earlier_1").mkdir()
    released = with_checksum(save(network, tmp_path / "earlier_1/model.pt"))
    own = save(network, tmp_path / "model.pt")

    require_weights(released, network)
    require_weights(own, network)

    assert caplog.messages == [
        f"Weights: {released}, checked against model.pt.sha256",
        f"Weights: {own}, of a training of yours: there is no model.pt.sha256 beside them; the released ones are "
        f"{released}",
    ]


def test_weights_that_differ_from_their_checksum_are_refused_with_the_way_out(tmp_path):
    path = with_checksum(save(nn.Conv2d(1, 1, 1), tmp_path / "model.pt"), digest="0" * 64)

    with pytest.raises(
        InputError, match=r"not those that model\.pt\.sha256 was made of.*\. Weights of your own belong elsewhere"
    ):
        require_weights(path, nn.Conv2d(1, 1, 1))


def test_network_starts_from_weights_but_keeps_its_own_voxels(tmp_path):
    trained, network = slab_network((1.5, 1.5, 1.5)), slab_network((2.0, 2.0, 2.0))
    path = save(trained, tmp_path / "model.pt")

    started = start_from(network, path)

    assert started is network
    torch.testing.assert_close(network.network.weight, trained.network.weight)
    assert network.spacing_mm.tolist() == [2.0, 2.0, 2.0]


def test_start_from_weights_of_other_voxels_is_told_with_the_way_to_theirs_and_of_the_same_is_not(tmp_path, caplog):
    path = save(slab_network((2.0, 2.0, 2.5)), tmp_path / "model.pt")

    start_from(slab_network((2.0, 2.0, 2.5)), path)
    assert caplog.messages == []
    start_from(slab_network((1.5, 1.5, 1.5)), path)

    (said,) = caplog.messages
    assert "were trained on voxels of (2.0, 2.0, 2.5) mm, and this training is on (1.5, 1.5, 1.5) mm" in said
    assert said.endswith('--spacing "[2.0, 2.0, 2.5]" trains on theirs.')


def test_half_precision_weights_start_a_network_of_full_precision(tmp_path):
    trained, network = slab_network(), slab_network()
    torch.save({name: value.half() for name, value in trained.state_dict().items()}, tmp_path / "model.pt")

    start_from(network, tmp_path / "model.pt")

    assert network.network.weight.dtype == torch.float32
    torch.testing.assert_close(network.network.weight, trained.network.weight, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("nothing", [None, False])
def test_without_a_start_the_network_stays(nothing):
    network = slab_network()
    before = network.network.weight.clone()

    start_from(network, nothing)

    torch.testing.assert_close(network.network.weight, before, rtol=0, atol=0)


def test_start_from_a_missing_file_or_another_network_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"start_from: there are no weights at .*model\.pt"):
        start_from(slab_network(), tmp_path / "model.pt")
    path = save(slab_network(channels=5), tmp_path / "other.pt")
    with pytest.raises(InputError, match=r"start_from: the weights at .* are of another network"):
        start_from(slab_network(), path)


def test_spacing_is_told_by_the_weights(tmp_path):
    torch.save(slab_network((0.9375, 1.8, 2.0)).state_dict(), tmp_path / "own.pt")
    torch.save({"layer": torch.zeros(1)}, tmp_path / "silent.pt")
    torch.save(join_weights([tmp_path / "own.pt"] * 2), tmp_path / "joined.pt")
    (tmp_path / "damaged.pt").write_bytes(b"no weights")

    assert trained_spacing(tmp_path / "own.pt") == trained_spacing(tmp_path / "joined.pt") == [0.9375, 1.8, 2.0]
    for name in ("silent.pt", "damaged.pt", "absent.pt"):
        assert trained_spacing(tmp_path / name) == [1.5, 1.5, 1.5]


def test_equal_weights_make_equal_files_under_any_name(tmp_path):
    state = {"weight": torch.arange(3.0)}
    save_tensors(state, tmp_path / "a.pt")
    save_tensors(state, tmp_path / "other.pt")

    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "other.pt").read_bytes()
    assert torch.equal(read_state_dict(tmp_path / "a.pt", "weights")["weight"], state["weight"])
