"""Two ways of counting millimetres: NIfTI to the right, front and top; DICOM and ITK to the left, back and top."""

import numpy as np

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
