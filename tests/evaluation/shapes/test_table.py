"""Means by class, worked out by hand."""

import pytest

from maquette.evaluation.shapes.table import ClassTable


def test_table_weighs_classes_alike():
    table = ClassTable.from_samples(["chair", "bed", "chair", "chair"],
                                    {"iou": [1.0, 0.0, 0.0, 0.5], "ap": [0.5, 0.5, 0.5, 0.5]})
    assert table.rows == {"bed": (1, (0.0, 0.5)), "chair": (3, (0.5, 0.5))}
    assert table.mean == (0.375, 0.5) and table.class_mean == (0.25, 0.5)
    assert table.markdown().splitlines()[-2] == "| mean of classes | 4 | 0.250 | 0.500 |"
    assert table.lines() == [("bed", 1, 0.0, 0.5), ("chair", 3, 0.5, 0.5)]
    assert table.as_dict()["classes"]["chair"] == {"count": 3, "iou": 0.5, "ap": 0.5}
    with pytest.raises(ValueError, match="finite"):
        ClassTable.from_samples(["a"], {"x": [float("nan")]})
