"""Whether a classifier trained on real boxes sees in a box the class that it is labelled with.

    class_accuracy = mean over classes c of  #{boxes of c read as c} / #{boxes of c} ,

so that sets of another mix compare. Beside it belongs that of real boxes of tomograms that the
classifier was not trained on: a model that draws each class more alike than it is goes beyond it.
"""

from statistics import fmean

from torch import Tensor

from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.groups import over_generated
from cryoccd.metrics.volume.readings import Readings


def accuracy_by_class(boxes: BoxSet, readings: Readings) -> dict[str, float]:
    """Share of the boxes of each class that occurs which are read as it."""
    right = _right(boxes, readings)
    return {
        boxes.classes[label]: float(right[boxes.labels == label].mean())
        for label in boxes.occurring
    }


def class_accuracy(boxes: BoxSet, readings: Readings) -> Metric:
    """Mean share over classes, with those of the classes in the note."""
    right, labels = _right(boxes, readings), boxes.labels

    def mean(j: Tensor) -> float:
        return fmean(float(right[j][labels[j] == label].mean()) for label in boxes.occurring)

    shares = accuracy_by_class(boxes, readings).items()
    return over_generated(mean, boxes, ", ".join(f"{name} {share:.2f}" for name, share in shares))


def _right(boxes: BoxSet, readings: Readings) -> Tensor:
    """(n,) float64, 1 where the likeliest class is the label."""
    return (readings.probabilities.argmax(1) == boxes.labels).double()
