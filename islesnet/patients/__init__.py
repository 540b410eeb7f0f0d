"""One patient from raw or prepared scans to the volumes that the network takes, and from its mask to the report."""

from islesnet.patients.adc import find_adc
from islesnet.patients.finding import find_patients
from islesnet.patients.opening import OpenPatientd
from islesnet.patients.preparing import PrepareScans
from islesnet.patients.reporting import ReportPatientd
from islesnet.patients.results import BeginPatient, require_apart
from islesnet.patients.scans import Preparation, RawScans
from islesnet.patients.skull import WarnOfSkull

__all__ = [
    "BeginPatient",
    "OpenPatientd",
    "Preparation",
    "PrepareScans",
    "RawScans",
    "ReportPatientd",
    "WarnOfSkull",
    "find_adc",
    "find_patients",
    "require_apart",
]
