"""What a report explains to its reader: how was scored, and what a figure is worth."""

HOW_IT_WAS_SCORED = (
    "Every patient is scored in 3D on the {grid}, and the headline is the mean over patients. The interval is the "
    "95 % percentile bootstrap of that mean over patients. Where truth and mask are both empty, Dice and lesion-wise "
    "F1 are 1 and distances 0; where one is, Dice is 0 and a distance is the image's diagonal. A true lesion is a "
    "component of 26-connected voxels, found when the mask has one voxel in common with it (ISLES 2022). HD95 is the "
    "95th percentile of the distances between the surfaces, both directions together; libraries differ in it."
)
HOW_SLICES_WERE_SCORED = (
    "The slices of a patient that were dealt to the test lie in a stack, though they were apart in the head. A "
    "patient's Dice is of all voxels of the stack, on the {grid}, and the headline is the mean over patients. The "
    "interval is the 95 % percentile bootstrap of that mean over patients. Where truth and mask are both empty, Dice "
    "is 1; where one is, 0. A volume is that of the lesion in these slices. In such a stack there are no lesions to "
    "count and no surfaces to measure between."
)
PATIENTS_TEXT = (
    "By Dice, each at the slice with the largest true area. A mask that marks nothing there is "
    "shown at the slice where it is largest; its panel says which."
)
ACCURACY_TEXT = (
    "A lesion is a small part of a volume: in ISLES 2015 SISS about one voxel in two hundred, so a mask that marks "
    "nothing has an accuracy above 99 %. Micro-averaged over both classes, precision is the same number as accuracy. "
    "Neither says whether a lesion was found: read them beside the empty mask's, and the Dice beside both."
)
COMPARISON_TEXT = (
    "Rows compare only where their data and their rule agree: see both columns. Two rows of the paper's own table are "
    "other data sets altogether. Accuracy and precision stand as their sources give them; ours are micro-averaged "
    "here, as those of Aboudi 2022 must be."
)
LOSSES_TEXT = (
    "The losses of two trainings compare only where both have the same one: the paper's recipe has the cross-entropy "
    "alone, the others add the Dice to it."
)
RELIABILITY_TEXT = (
    "Of the voxels given a probability of 0.7, seven in ten should be lesion. Expected calibration error: {error}, "
    "which the many certain voxels of the background keep low."
)
