"""The report of one patient, from volumes to a page, and of a cohort; needs neither scanner, network nor MONAI."""

from islesnet.report.patient.cohort_page import CohortRow, write_cohort_page
from islesnet.report.patient.dicom_seg import write_dicom_seg
from islesnet.report.patient.findings import PatientFindings
from islesnet.report.patient.lesions import LesionMeasures, measure_lesions
from islesnet.report.patient.midline import MidsagittalPlane, find_midsagittal_plane
from islesnet.report.patient.patient_report import write_patient_report
from islesnet.report.patient.volumes import PatientVolumes

__all__ = [
    "CohortRow",
    "LesionMeasures",
    "MidsagittalPlane",
    "PatientFindings",
    "PatientVolumes",
    "find_midsagittal_plane",
    "measure_lesions",
    "write_cohort_page",
    "write_dicom_seg",
    "write_patient_report",
]
