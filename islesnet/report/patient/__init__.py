"""The report of one patient, from volumes to a page, and of a cohort; needs neither scanner, network nor MONAI."""
