"""Synthetic stroke patients: real average anatomy, grown or given lesions, MR physics. Needs no torch and no MONAI."""

from islesnet.phantom.dataset import patient_seed, write_dataset, write_patient
from islesnet.phantom.patient import Phantom, make_patient
from islesnet.phantom.settings import PhantomSettings
from islesnet.phantom.siss import siss_volumes_ml, write_siss_like_dataset
from islesnet.phantom.table import ranges_table
from islesnet.phantom.wide import WideCohort, narrow_settings, wide_settings, write_wide_dataset

__all__ = [
    "Phantom",
    "PhantomSettings",
    "WideCohort",
    "make_patient",
    "narrow_settings",
    "patient_seed",
    "ranges_table",
    "siss_volumes_ml",
    "wide_settings",
    "write_dataset",
    "write_patient",
    "write_siss_like_dataset",
    "write_wide_dataset",
]
