"""The figures of boxes that tables have, with their ideals."""

from cryoccd.metrics.measure import Figure

VOLUMES = (
    Figure("fd_volume", 0.0, "Frechet distance of classifier features, biased upwards"),
    Figure("fd_volume_classes", 0.0, "the same within classes, their mean"),
    Figure("kd_volume", 0.0, "unbiased squared kernel distance of classifier features"),
    Figure("kd_volume_classes", 0.0, "the same within classes, their mean"),
    Figure("class_accuracy", 1.0, "boxes that a classifier of real ones reads as their class"),
    Figure("class_contrast", 1.0, "intra- minus inter-class correlation, generated / real"),
    Figure("spectrum_db", 0.0, "radial power spectrum error, dB"),
    Figure("wedge_error_db", 0.0, "error of power in the missing wedge over beside it, dB"),
    Figure(
        "memorisation_ratio",
        1.0,
        "distance to the nearest training box, generated / held-out real; below 1: copied",
    ),
    Figure("diversity_ratio", 1.0, "distance between samples of a class, generated / real"),
    Figure("fsc_beyond_40A", 1.0, "FSC of class averages with the map, aligned to 40, to 30 A"),
    Figure("fsc_beyond_80A", 1.0, "the same aligned to 80, to 50 A, for denoised tomograms"),
)
"""What is said of boxes; class_accuracy and the FSC are read beside those of real boxes."""

LEVELS_DB = {"x0_error_20dB": 20.0, "x0_error_0dB": 0.0, "x0_error_minus20dB": -20.0}
"""Ratio of signal to noise, power of the box over that of the noise, by the name of the figure."""

LEVELS = tuple(
    Figure(name, 0.0, f"mean square error of a held-out box seen through noise of {snr:g} dB")
    for name, snr in LEVELS_DB.items()
)
"""What is said of a diffusion; a box has variance 1."""
