from dataclasses import replace

import numpy as np
import pytest

from islesnet.phantom.mr_signal import (
    INFARCT_STAGES,
    TISSUES,
    Protocol,
    Tissue,
    diffusion_weighted,
    draw_protocol,
    draw_tissues,
    image_signal,
    image_signals,
    inversion_recovery,
    nulling_inversion_time,
    spin_echo,
)
from islesnet.phantom.ranges import SISS_LIKE, WIDE
from islesnet.sequences import SEQUENCES

LN2 = np.log(2)
# Times chosen so that every exponential is a power of one half.
TISSUE = Tissue(t1_ms=1000 / LN2, t2_ms=100 / LN2, proton_density=0.8, adc=LN2)


def test_spin_echo_by_hand():
    # 0.8 (1 - 1/4) 1/2
    assert spin_echo(TISSUE, repetition_ms=2000, echo_ms=100) == pytest.approx(0.3)


def test_inversion_recovery_by_hand():
    # 0.8 (1 - 2/4 + 1/16) 1/2
    assert inversion_recovery(TISSUE, 4000, inversion_ms=2000, echo_ms=100) == pytest.approx(0.225)


def test_inversion_recovery_is_negative_before_the_null():
    assert inversion_recovery(TISSUE, 4000, inversion_ms=500, echo_ms=0.001) < 0


def test_diffusion_weighting_halves_the_spin_echo_at_b_times_adc_of_ln2():
    assert diffusion_weighted(TISSUE, 2000, 100, b_value=1000) == pytest.approx(0.15)
    assert diffusion_weighted(TISSUE, 2000, 100, b_value=0) == pytest.approx(0.3)


@pytest.mark.parametrize("repetition_ms", [3000, 9000, 1e9])
def test_nulling_inversion_time_nulls(repetition_ms):
    inversion_ms = nulling_inversion_time(4070, repetition_ms)

    fluid = Tissue(4070, 2000, 1, 3)
    assert inversion_recovery(fluid, repetition_ms, inversion_ms, 100) == pytest.approx(0, abs=1e-12)


def test_long_t2_shines_through_on_dwi_at_equal_diffusion():
    normal, long = Tissue(1000, 80, 0.8, 0.8), Tissue(1000, 160, 0.8, 0.8)

    assert diffusion_weighted(long, 5000, 80, 1000) == pytest.approx(
        np.exp(0.5) * diffusion_weighted(normal, 5000, 80, 1000)
    )


@pytest.mark.parametrize("ranges", [SISS_LIKE, replace(WIDE, flair_null=(1, 1))], ids=["like SISS", "wide"])
@pytest.mark.parametrize("seed", range(40))
def test_contrasts_are_those_of_clinical_images(seed, ranges):
    protocol = draw_protocol(np.random.default_rng(seed), ranges)
    signal = {
        sequence: {name: image_signal(tissue, sequence, protocol) for name, tissue in TISSUES[protocol.tesla].items()}
        for sequence in SEQUENCES
    }

    assert signal["t1"]["white"] > signal["t1"]["grey"] > signal["t1"]["csf"]
    assert signal["t2"]["csf"] > signal["t2"]["grey"] > signal["t2"]["white"] > signal["t2"]["pallidum"]
    assert signal["flair"]["grey"] > signal["flair"]["white"] > 10 * signal["flair"]["csf"]
    darker = 1.5 if ranges is SISS_LIKE else 1.2  # at b = 800 fluid shines through
    assert signal["dwi"]["grey"] > signal["dwi"]["white"] > darker * signal["dwi"]["csf"]


def test_grey_matter_and_its_infarct_lose_their_excess_on_flair_and_there_alone():
    tissues = draw_tissues(np.random.default_rng(0), 3.0, "acute")
    protocol = draw_protocol(np.random.default_rng(0))
    flat = replace(protocol, flair_grey=0.25)
    before, after = (image_signals(tissues, "flair", each) for each in (protocol, flat))

    assert after["grey"] - after["white"] == pytest.approx(0.25 * (before["grey"] - before["white"]))
    assert after["infarct_grey"] / after["grey"] == pytest.approx(before["infarct_grey"] / before["grey"])
    assert {name for name in tissues if after[name] != before[name]} == {"grey", "infarct_grey"}
    assert image_signals(tissues, "dwi", protocol) == image_signals(tissues, "dwi", flat)


def test_oedema_brightens_an_infarct_on_t2_and_flair_alone_as_its_t2_rose():
    tissues = draw_tissues(np.random.default_rng(0), 3.0, "subacute")
    protocol = draw_protocol(np.random.default_rng(0))
    saturated = replace(protocol, oedema_excess=0.5)

    for sequence in SEQUENCES:
        before, after = (image_signals(tissues, sequence, each) for each in (protocol, saturated))
        gained = {name: after[name] / before[name] for name in tissues if after[name] != before[name]}
        rise = {
            f"infarct_{name}": 1 + 0.5 * (tissues[f"infarct_{name}"].t2_ms / tissues[name].t2_ms - 1)
            for name in ("white", "grey", "pallidum")
        }
        assert gained == pytest.approx(rise if sequence in ("t2", "flair") else {})


def test_wide_infarcts_after_the_first_hours_are_brighter_than_their_tissue_on_flair():
    # Over 1.2 from 8 hours on, in most: Legge et al., J Stroke Cerebrovasc Dis 26:1582, 2017.
    rng, ratios = np.random.default_rng(0), {"hyperacute": [], "acute": [], "subacute": []}
    for stage, drawn in ratios.items():
        for _ in range(300):
            protocol = draw_protocol(rng, WIDE)
            signals = image_signals(draw_tissues(rng, protocol.tesla, stage, WIDE), "flair", protocol)
            drawn.append(signals["infarct_grey"] / signals["grey"])

    assert np.median(ratios["hyperacute"]) < 1.2 < np.median(ratios["acute"]) < np.median(ratios["subacute"]) < 1.7
    # And hardly any as dark as its tissue.
    assert all(np.percentile(ratios[stage], 5) > 1.1 for stage in ("acute", "subacute"))


def test_some_wide_infarcts_of_white_matter_are_brighter_on_flair_than_its_hyperintensities_and_some_are_not():
    rng, is_brighter = np.random.default_rng(0), []
    for _ in range(300):
        protocol = draw_protocol(rng, WIDE)
        signals = image_signals(draw_tissues(rng, protocol.tesla, "acute", WIDE), "flair", protocol)
        is_brighter.append(signals["infarct_white"] > signals["hyperintensity"])

    assert 0.2 < np.mean(is_brighter) < 0.8


@pytest.mark.parametrize("stage", INFARCT_STAGES)
@pytest.mark.parametrize("tesla", TISSUES)
def test_infarct_lowers_adc_raises_t1_and_t2_and_brightens_dwi(stage, tesla):
    tissues = draw_tissues(np.random.default_rng(0), tesla, stage)
    protocol = Protocol(tesla, dwi=(5000, 90), b_value=1000, t1=(500, 10), t2=(5000, 100), flair=(9000, 120))

    for name in ("white", "grey", "pallidum"):
        healthy, infarct = tissues[name], tissues[f"infarct_{name}"]
        assert infarct.adc < healthy.adc
        assert infarct.t1_ms > healthy.t1_ms
        assert infarct.t2_ms > healthy.t2_ms
        assert image_signal(infarct, "dwi", protocol) > 1.25 * image_signal(healthy, "dwi", protocol)


def test_hyperintensity_is_bright_on_flair_and_shines_through_on_dwi_without_restriction():
    tissues = draw_tissues(np.random.default_rng(1), 1.5, "acute")
    protocol = Protocol(1.5, dwi=(5000, 90), b_value=1000, t1=(500, 10), t2=(5000, 100), flair=(9000, 120))

    white, mimic, infarct = (tissues[name] for name in ("white", "hyperintensity", "infarct_white"))
    assert mimic.adc > 1.2 * white.adc
    assert image_signal(mimic, "flair", protocol) > 1.5 * image_signal(white, "flair", protocol)
    signals = [image_signal(tissue, "dwi", protocol) for tissue in (white, mimic, infarct)]
    assert signals == sorted(signals)


def test_proton_density_never_exceeds_water():
    assert Tissue(1000, 100, 0.9, 1.0).change(proton_density=1.5).proton_density == 1


def test_unknown_sequence_is_refused():
    with pytest.raises(KeyError, match="swi"):
        image_signal(TISSUE, "swi", draw_protocol(np.random.default_rng(0)))
