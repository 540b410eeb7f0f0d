"""The table of everything that synthetic patients are drawn from, for people to read."""

from collections.abc import Iterator
from dataclasses import fields

from islesnet.phantom.mr_signal import INFARCT_STAGES
from islesnet.phantom.ranges import SISS_LIKE, WIDE, Range, Ranges
from islesnet.phantom.settings import DEFAULT_SETTINGS
from islesnet.phantom.wide import (
    CHRONIC_PROBABILITY,
    DEEP_PROBABILITY,
    DEEP_VOLUMES_ML,
    GROWN_PROBABILITY,
    OLD_INFARCT_PROBABILITY,
    SKULL_PROBABILITY,
    VOLUMES_ML,
)

STAGE_SOURCE = (
    "Lansberg et al., AJNR 22:637, 2001; Schlaug et al., Neurology 49:113, 1997; Nagesh et al., Stroke 29:1778, 1998; "
    "Siemonsen et al., Stroke 40:1612, 2009"
)


def ranges_table() -> str:
    """Write every range in Markdown: parameter, like SISS, wide, unit, source."""
    rows = ["| parameter | like SISS | wide | unit | source |", "|---|---|---|---|---|"]
    rows += ["| " + " | ".join(cells) + " |" for cells in (*_cohort(), *_stages(), *_parameters())]
    return "\n".join(rows) + "\n"


def _cohort() -> Iterator[tuple[str, ...]]:
    usual = DEFAULT_SETTINGS
    yield "volume_ml", _say(usual.volume_ml), _say(VOLUMES_ML), "ml, log-uniform", "our choice"
    yield "skull and scalp on", "never", f"{SKULL_PROBABILITY:g}", "of the patients", "our choice"
    yield "foci", _say(usual.foci), "likewise", "places that a grown lesion begins at", "our choice"
    yield "lesion grown, not from a mask", "all", f"{GROWN_PROBABILITY:g}", "of the patients", "our choice"
    deep = f"{DEEP_PROBABILITY:g}, of {_say(DEEP_VOLUMES_ML)} ml"
    yield "lesion where perforating arteries end", "as others", deep, "of the patients", "our choice"
    yield "chronic stage", "never", f"{CHRONIC_PROBABILITY:g}", "of the patients", "our choice"
    old = usual.old_infarct_probability
    yield "old infarct besides", f"{old:g}", f"{OLD_INFARCT_PROBABILITY:g}", "of the patients", "our choice"
    yield "field strength", "1.5 or 3", "likewise", "T; T1 as spin echo or as inversion recovery", "our choice"
    thick = f"{usual.thick_slices_probability:g}"
    yield "thick slices", thick, thick, "of the scans", "our choice"


def _stages() -> Iterator[tuple[str, ...]]:
    for name, stage in INFARCT_STAGES.items():
        for constant, bounds in (("T1", stage.t1), ("T2", stage.t2), ("ADC", stage.adc)):
            yield f"{name} {constant}", _say(bounds), "likewise", "factor on the tissue's own", STAGE_SOURCE


def _parameters() -> Iterator[tuple[str, ...]]:
    for each in fields(Ranges):
        siss, wide = _say(getattr(SISS_LIKE, each.name)), _say(getattr(WIDE, each.name))
        yield each.name, siss, wide, each.metadata["unit"], each.metadata["source"]


def _say(bounds: Range) -> str:
    return f"{bounds[0]:g}" if bounds[0] == bounds[1] else f"{bounds[0]:g} to {bounds[1]:g}"
