"""What a header, a sidecar or a file's name says about a volume, whatever its format."""

from dataclasses import dataclass

from islesnet.volumes.file_names import words_of

TRACE_TYPES = {"TRACEW", "TRACE"}  # of DICOM's Image Type


@dataclass(frozen=True)
class Facts:
    """What is known of one volume before its voxels are read.

    Args:
        words: of the file's name, or of the series' description and protocol; looked at, never told whole.
        folder_words: of the folder it lies in, below the patient's.
        image_type: DICOM's Image Type, upper case.
        contrast: DICOM's Acquisition Contrast ("DIFFUSION", "FLUID_ATTENUATED", ...), of enhanced files.
        scanning: DICOM's Scanning Sequence: "SE", "IR", "GR", "EP".
        echo_time_ms: TE.
        repetition_time_ms: TR.
        inversion_time_ms: TI.
        has_contrast_medium: whether a contrast medium was given.
        b_value: in s/mm2.
        direction: of the diffusion gradient.
        is_trace: whether the volume is said to be a mean over directions; None where nothing is said.
    """

    words: tuple[str, ...] = ()
    folder_words: tuple[str, ...] = ()
    image_type: tuple[str, ...] = ()
    contrast: str = ""
    scanning: frozenset[str] = frozenset()
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    inversion_time_ms: float | None = None
    has_contrast_medium: bool = False
    b_value: float | None = None
    direction: tuple[float, ...] | None = None
    is_trace: bool | None = None


def words_in(*texts: str) -> tuple[str, ...]:
    """Return the words of descriptions in lower case."""
    return tuple(word for text in texts for word in words_of(text[:1000]))


def words_of_series(description: str, protocol: str, manufacturer: str) -> tuple[str, ...]:
    """Return the words of a series' description and protocol.

    GE's protocol is the whole examination's ("BRAIN W WO MRA PERFUSION") and says nothing of one series.
    """
    is_of_all = manufacturer.strip().upper().startswith("GE") and bool(description.strip())
    return words_in(description) if is_of_all else words_in(description, protocol)
