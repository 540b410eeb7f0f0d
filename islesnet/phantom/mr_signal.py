"""What a tissue gives on each sequence: relaxation and diffusion constants, and the sequences' signal equations."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from islesnet.phantom.ranges import SISS_LIKE, Ranges, draw


@dataclass(frozen=True)
class Tissue:
    """Constants of a tissue.

    Args:
        t1_ms: longitudinal relaxation time.
        t2_ms: transverse relaxation time.
        proton_density: relative to water.
        adc: apparent diffusion coefficient, mean over directions, in 1e-3 mm2/s.
    """

    t1_ms: float
    t2_ms: float
    proton_density: float
    adc: float

    def change(self, t1: float = 1, t2: float = 1, proton_density: float = 1, adc: float = 1) -> "Tissue":
        """Multiply the constants by factors."""
        return Tissue(self.t1_ms * t1, self.t2_ms * t2, min(self.proton_density * proton_density, 1), self.adc * adc)


# By field strength in tesla.
# T1: Rooney et al., MRM 57:308, 2007 (1.5 T); Wansapura et al., JMRI 9:531, 1999 (3 T); fluid is alike at both.
# T2: Stanisz et al., MRM 54:507, 2005. Pallidum: shorter by its iron, Vymazal et al., Radiology 211:489, 1999.
# Fat: Gold et al., AJR 183:343, 2004. Cortical bone gives next to no signal at clinical echo times.
# Proton density: Tofts, Quantitative MRI of the Brain, 2003, chapter 4.
# ADC: Helenius et al., AJNR 23:194, 2002; fluid as free water at 37 degrees, Mills, J Phys Chem 77:685, 1973.
TISSUES: Mapping[float, Mapping[str, Tissue]] = {
    1.5: {
        "white": Tissue(656, 72, 0.70, 0.72),
        "grey": Tissue(1188, 95, 0.82, 0.85),
        "pallidum": Tissue(750, 66, 0.74, 0.78),
        "csf": Tissue(4070, 2000, 1.0, 3.0),
        "bone": Tissue(250, 1, 0.1, 0.5),
        "fat": Tissue(288, 165, 0.9, 0.05),
    },
    3.0: {
        "white": Tissue(832, 69, 0.70, 0.72),
        "grey": Tissue(1331, 92, 0.82, 0.85),
        "pallidum": Tissue(900, 55, 0.74, 0.78),
        "csf": Tissue(4070, 1800, 1.0, 3.0),
        "bone": Tissue(250, 1, 0.1, 0.5),
        "fat": Tissue(371, 133, 0.9, 0.05),
    },
}


# What only wide phantoms have. Muscle: Gold et al., as above. Choroid plexus: between grey matter and fluid, its cysts
# restrict diffusion (Kinoshita et al., J Comput Assist Tomogr 29:250, 2005). Air gives no signal.
OTHER_TISSUES: Mapping[str, Tissue] = {
    "muscle": Tissue(1150, 38, 0.80, 1.5),
    "plexus": Tissue(1700, 150, 0.9, 1.2),
    "air": Tissue(1000, 1, 0.0, 0.5),
}


@dataclass(frozen=True)
class Stage:
    """Ranges of the factors by which an infarct changes its tissue.

    Args:
        t1: factors of the longitudinal relaxation time.
        t2: factors of the transverse relaxation time.
        adc: factors of the apparent diffusion coefficient.
    """

    t1: tuple[float, float]
    t2: tuple[float, float]
    adc: tuple[float, float]


# What an infarct makes of each tissue.
INFARCTS: Mapping[str, str] = {f"infarct_{name}": name for name in ("white", "grey", "pallidum")}

# ADC and T2 over time: Lansberg et al., AJNR 22:637, 2001 (low in week 1, normal in week 2; T2 rises over days);
# Schlaug et al., Neurology 49:113, 1997 (ADC at 58 % early on); Nagesh et al., Stroke 29:1778, 1998 (74 % at 10 h).
# T2 in the first hours: Siemonsen et al., Stroke 40:1612, 2009. T1 rises with the same water.
INFARCT_STAGES: Mapping[str, Stage] = {
    "hyperacute": Stage(t1=(1.02, 1.10), t2=(1.03, 1.12), adc=(0.50, 0.62)),
    "acute": Stage(t1=(1.10, 1.25), t2=(1.20, 1.45), adc=(0.48, 0.62)),
    "subacute": Stage(t1=(1.20, 1.45), t2=(1.40, 1.80), adc=(0.65, 0.90)),
}


@dataclass(frozen=True)
class Protocol:
    """How a patient was scanned; all times in ms.

    Args:
        tesla: field strength, a key of `TISSUES`.
        dwi: repetition and echo time of the diffusion-weighted image.
        b_value: diffusion weighting in s/mm2.
        t1: repetition time and inversion time (3 T) or echo time (1.5 T) of the T1-weighted image.
        t2: repetition and echo time of the T2-weighted image.
        flair: repetition and echo time.
        flair_null: its inversion time, relative to the one that nulls the fluid.
        flair_grey: how much of grey matter's excess over white it shows; what long trains of echoes leave of it.
        oedema_excess: how much brighter than by its constants an infarct is on T2 and FLAIR, as a share of the rise of
            its T2; trains of refocusing pulses saturate the water that is bound, of which oedema has less.
    """

    tesla: float
    dwi: tuple[float, float]
    b_value: float
    t1: tuple[float, float]
    t2: tuple[float, float]
    flair: tuple[float, float]
    flair_null: float = 1.0
    flair_grey: float = 1.0
    oedema_excess: float = 0.0


def draw_protocol(rng: np.random.Generator, ranges: Ranges = SISS_LIKE) -> Protocol:
    """Draw a clinical protocol: T1 as spin echo at 1.5 T, as inversion recovery at 3 T."""
    tesla = float(rng.choice((1.5, 3.0)))
    is_spin_echo = tesla == 1.5
    t1 = (
        draw(rng, ranges.t1_repetition_ms if is_spin_echo else ranges.t1_recovery_ms),
        draw(rng, ranges.t1_echo_ms if is_spin_echo else ranges.t1_inversion_ms),
    )
    return Protocol(
        tesla=tesla,
        dwi=(draw(rng, ranges.dwi_repetition_ms), draw(rng, ranges.dwi_echo_ms)),
        b_value=draw(rng, ranges.b_value),
        t1=t1,
        t2=(draw(rng, ranges.t2_repetition_ms), draw(rng, ranges.t2_echo_ms)),
        flair=(draw(rng, ranges.flair_repetition_ms), draw(rng, ranges.flair_echo_ms)),
        flair_null=draw(rng, ranges.flair_null),
        flair_grey=draw(rng, ranges.flair_grey),
        oedema_excess=draw(rng, ranges.oedema_excess),
    )


def draw_tissues(rng: np.random.Generator, tesla: float, stage: str, ranges: Ranges = SISS_LIKE) -> dict[str, Tissue]:
    """Draw a patient's tissue constants, healthy and diseased.

    Args:
        rng: source of randomness.
        tesla: field strength, a key of `TISSUES`.
        stage: of the infarct, a key of `INFARCT_STAGES`, or chronic, which leaves gliosis and a cavity.
        ranges: what people differ by.

    Returns:
        The healthy tissues and those around the brain, ``infarct_<tissue>`` for each of white, grey and pallidum
        (not where it is chronic), ``hyperintensity``, ``gliosis`` and ``cavity``.
    """
    sd = draw(rng, ranges.tissue_sd)
    tissues = {name: tissue.change(*rng.normal(1, sd, 4)) for name, tissue in TISSUES[tesla].items()}
    infarct = {} if stage == "chronic" else _draw_infarct(rng, tissues, INFARCT_STAGES[stage], ranges)
    hyperintensity = tissues["white"].change(
        t1=draw(rng, ranges.hyperintensity_t1),
        t2=draw(rng, ranges.hyperintensity_t2),
        proton_density=1.1,
        adc=draw(rng, ranges.hyperintensity_adc),
    )
    gliosis = replace(hyperintensity, adc=draw(rng, ranges.gliosis_adc))
    diseased = {**infarct, "hyperintensity": hyperintensity, "gliosis": gliosis, "cavity": tissues["csf"]}
    return {**tissues, **diseased, **OTHER_TISSUES}


def _draw_infarct(
    rng: np.random.Generator, tissues: Mapping[str, Tissue], stage: Stage, ranges: Ranges
) -> dict[str, Tissue]:
    low, high = np.array([stage.t1, stage.t2, stage.adc]).T
    places = rng.uniform(size=3)
    jitter = np.array([draw(rng, ranges.infarct_jitter) for _ in range(3)])
    # T1 and T2 rise with the same water: apart, a long T1 could take from FLAIR what a long T2 gives.
    apart = draw(rng, ranges.relaxation_apart)
    for drawn in (places, jitter):
        drawn[0] = drawn[1] + apart * (drawn[0] - drawn[1])
    t1, t2, adc = (float(factor) for factor in (low + (high - low) * places) * jitter)
    return {
        infarcted: tissues[healthy].change(t1, t2, proton_density=1.04, adc=adc)
        for infarcted, healthy in INFARCTS.items()
    }


def image_signal(tissue: Tissue, sequence: str, protocol: Protocol) -> float:
    """Compute a tissue's signal on one of the four sequences, relative to water in equilibrium.

    Args:
        tissue: its constants.
        sequence: ``dwi``, ``t1``, ``t2`` or ``flair``.
        protocol: times and field strength.

    Raises:
        KeyError: another sequence.
    """
    if sequence == "t1" and protocol.tesla == 1.5:
        return spin_echo(tissue, *protocol.t1)
    if sequence == "t1":
        return abs(inversion_recovery(tissue, protocol.t1[0], protocol.t1[1], echo_ms=3.0))
    if sequence == "flair":
        fluid = TISSUES[protocol.tesla]["csf"]
        inversion_ms = protocol.flair_null * nulling_inversion_time(fluid.t1_ms, protocol.flair[0])
        return abs(inversion_recovery(tissue, protocol.flair[0], inversion_ms, protocol.flair[1]))
    if sequence == "dwi":
        return diffusion_weighted(tissue, *protocol.dwi, protocol.b_value)
    if sequence == "t2":
        return spin_echo(tissue, *protocol.t2)
    raise KeyError(sequence)


def image_signals(tissues: Mapping[str, Tissue], sequence: str, protocol: Protocol) -> dict[str, float]:
    """Compute the signal of each tissue as `image_signal` does, and what long trains of echoes do beside.

    On FLAIR they leave less of grey matter's excess over white; on T2 and FLAIR they brighten an infarct's oedema.

    Args:
        tissues: by name, ``white`` and ``grey`` among them.
        sequence: ``dwi``, ``t1``, ``t2`` or ``flair``.
        protocol: times and field strength.

    Raises:
        KeyError: another sequence.
    """
    signals = {name: image_signal(tissue, sequence, protocol) for name, tissue in tissues.items()}
    if sequence == "flair":
        excess = 1 - signals["white"] / signals["grey"]
        for name in signals.keys() & {"grey", "infarct_grey"}:
            signals[name] *= 1 - (1 - protocol.flair_grey) * excess
    if sequence in ("t2", "flair"):
        for name in tissues.keys() & INFARCTS.keys():
            rise = tissues[name].t2_ms / tissues[INFARCTS[name]].t2_ms - 1
            signals[name] *= 1 + protocol.oedema_excess * rise
    return signals


def spin_echo(tissue: Tissue, repetition_ms: float, echo_ms: float) -> float:
    """Compute the spin-echo signal PD (1 - exp(-TR/T1)) exp(-TE/T2), for TE well below TR.

    Source: Haacke et al., Magnetic Resonance Imaging, 1999, chapter 8.
    """
    recovered = 1 - np.exp(-repetition_ms / tissue.t1_ms)
    return float(tissue.proton_density * recovered * np.exp(-echo_ms / tissue.t2_ms))


def inversion_recovery(tissue: Tissue, repetition_ms: float, inversion_ms: float, echo_ms: float) -> float:
    """Compute the signed signal PD (1 - 2 exp(-TI/T1) + exp(-TR/T1)) exp(-TE/T2).

    Source: Haacke et al., Magnetic Resonance Imaging, 1999, chapter 8.
    """
    recovered = 1 - 2 * np.exp(-inversion_ms / tissue.t1_ms) + np.exp(-repetition_ms / tissue.t1_ms)
    return float(tissue.proton_density * recovered * np.exp(-echo_ms / tissue.t2_ms))


def nulling_inversion_time(t1_ms: float, repetition_ms: float) -> float:
    """Compute the inversion time at which a tissue gives no signal, T1 ln(2 / (1 + exp(-TR/T1))), in ms."""
    return float(t1_ms * np.log(2 / (1 + np.exp(-repetition_ms / t1_ms))))


def diffusion_weighted(tissue: Tissue, repetition_ms: float, echo_ms: float, b_value: float) -> float:
    """Compute the signal of a diffusion-weighted spin-echo EPI: the spin echo times exp(-b ADC).

    T2 shine-through is in it: a long T2 brightens the image whatever the diffusion.
    Source: Stejskal and Tanner, J Chem Phys 42:288, 1965; Le Bihan et al., Radiology 161:401, 1986.

    Args:
        tissue: its constants; ADC in 1e-3 mm2/s.
        repetition_ms: repetition time.
        echo_ms: echo time.
        b_value: diffusion weighting in s/mm2.
    """
    return spin_echo(tissue, repetition_ms, echo_ms) * float(np.exp(-b_value * tissue.adc * 1e-3))
