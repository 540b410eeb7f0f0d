"""Tiny made-up DICOM series, classic and enhanced, as scanners of several vendors write them."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

SECRETS = {"PatientName": "Mustermann^Erika", "PatientID": "GEHEIM4711", "PatientBirthDate": "19121224"}
AXIAL = (1, 0, 0, 0, 1, 0)
ROWS, COLUMNS = 10, 12
STUDY = generate_uid()


def head(slices=6, scale=100):
    """Values (slices, rows, columns), no two slices alike."""
    return np.arange(slices * ROWS * COLUMNS, dtype=np.uint16).reshape(slices, ROWS, COLUMNS) % 997 + scale


def tags_of(sequence):
    """Tags that tell a sequence by its timing."""
    echo, repetition, inversion = {"t1": (10, 500, None), "t2": (100, 5000, None), "flair": (120, 9000, 2500)}[sequence]
    inversions = {} if inversion is None else {"InversionTime": inversion}
    return {"ScanningSequence": "SE", "EchoTime": echo, "RepetitionTime": repetition, **inversions}


def classic(folder, values=None, *, syntax=ExplicitVRLittleEndian, step=(0, 0, 5.0), private=(), number=1, **tags):
    """Write one file a slice, in an order and with names that say nothing; return the files in slice order."""
    values = head() if values is None else values
    folder.mkdir(parents=True, exist_ok=True)
    series = tags.pop("SeriesInstanceUID", generate_uid())
    skipped = tags.pop("skipped", ())
    begin = tags.pop("begin", (-60.0, -50.0, -20.0))
    written = {}
    for index in np.random.default_rng(number).permutation(len(values)):
        if index in skipped:
            continue
        path = folder / f"IM{len(list(folder.iterdir())):04d}"
        header = _file(path, MRImageStorage, syntax)
        header.SeriesInstanceUID, header.SeriesNumber, header.InstanceNumber = series, number, int(index) + 1
        header.ImagePositionPatient = [float(b + index * s) for b, s in zip(begin, step, strict=True)]
        header.ImageOrientationPatient = list(AXIAL)
        header.PixelSpacing = [9.0, 8.0]
        header.ImageType = ["ORIGINAL", "PRIMARY", "M"]
        for key, value in tags.items():
            setattr(header, key, value[index] if isinstance(value, PerSlice) else value)
        for creator, group, element, kind, value in private:
            header.private_block(group, creator, create=True).add_new(element, kind, value)
        _pixels(header, values[index], syntax)
        header.save_as(path, enforce_file_format=True)
        written[index] = path
    return [written[index] for index in sorted(written)]


class PerSlice(list):
    """A tag's value for each slice."""


def enhanced(path, volumes, *, step=5.0, slopes=None, **tags):
    """Write all volumes as one enhanced file: [(b-value, directionality, direction, values)], slices interleaved."""
    header = _file(path, EnhancedMRImageStorage, ExplicitVRLittleEndian)
    header.SeriesInstanceUID, header.SeriesNumber, header.InstanceNumber = generate_uid(), 3, 1
    header.AcquisitionContrast = "DIFFUSION"
    for key, value in tags.items():
        setattr(header, key, value)
    shared = Dataset()
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[9.0, 8.0], SliceThickness=5)]
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=list(AXIAL))]
    shared.MREchoSequence = [_item(EffectiveEchoTime=90.0)]
    header.SharedFunctionalGroupsSequence = [shared]
    frames, planes = [], []
    for index in range(len(volumes[0][3])):
        for b_value, directionality, direction, values in volumes:
            own = Dataset()
            own.PlanePositionSequence = [_item(ImagePositionPatient=[-60.0, -50.0, -20.0 + step * index])]
            diffusion = _item(DiffusionBValue=float(b_value), DiffusionDirectionality=directionality)
            if direction is not None:
                diffusion.DiffusionGradientDirectionSequence = [_item(DiffusionGradientOrientation=direction)]
            own.MRDiffusionSequence = [diffusion]
            slope = 1.0 if slopes is None else slopes[index]
            own.PixelValueTransformationSequence = [_item(RescaleSlope=slope, RescaleIntercept=0, RescaleType="US")]
            frames.append(own)
            planes.append(values[index])
    header.PerFrameFunctionalGroupsSequence = frames
    header.NumberOfFrames = len(frames)
    _pixels(header, np.stack(planes), ExplicitVRLittleEndian)
    header.save_as(path, enforce_file_format=True)
    return path


def edit(path, **tags):
    """Change tags of a file, its voxels left as they are."""
    import pydicom

    header = pydicom.dcmread(path)
    for key, value in tags.items():
        setattr(header, key, value)
    header.save_as(path)


def _file(path: Path, kind, syntax):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, kind
    meta.MediaStorageSOPInstanceUID = generate_uid()
    header = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=False)
    header.set_original_encoding(False, syntax.is_little_endian)
    header.SOPClassUID, header.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    header.StudyInstanceUID, header.Modality = STUDY, "MR"
    for key, value in SECRETS.items():
        setattr(header, key, value)
    return header


def _pixels(header, values, syntax):
    header.Rows, header.Columns = values.shape[-2:]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
    header.PixelData = values.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()
    header["PixelData"].VR = "OW"


def _item(**tags):
    item = Dataset()
    for key, value in tags.items():
        setattr(item, key, value)
    return item
