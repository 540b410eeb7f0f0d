import pytest

from islesnet.errors import InputError
from islesnet.networks import OperatingPoint, operating_point_file, read_operating_point


def test_point_lies_beside_the_weights_and_comes_back_as_it_was(tmp_path):
    point = OperatingPoint(threshold=0.62, minimum_lesion_ml=0.05, temperature=1.4, offset=-1.2, bias_correction=True)

    point.write(operating_point_file(tmp_path / "model.pt"))

    assert (tmp_path / "model_operating_point.json").is_file()
    assert read_operating_point(tmp_path / "model.pt") == point


def test_point_of_earlier_weights_has_neither_offset_nor_bias_correction(tmp_path):
    earlier = '{"threshold": 0.733, "minimum_lesion_ml": 0.1, "temperature": 1.375}'
    (tmp_path / "model_operating_point.json").write_text(earlier)

    assert read_operating_point(tmp_path / "model.pt") == OperatingPoint(0.733, 0.1, 1.375, 0.0, False)


def test_weights_that_nobody_chose_a_point_for_are_used_at_the_defaults(tmp_path):
    (tmp_path / "model.pt").touch()

    assert read_operating_point(tmp_path / "model.pt") == OperatingPoint(0.5, 0.01, 1.0)


def test_no_point_is_made_up_where_there_are_no_weights(tmp_path):
    with pytest.raises(InputError, match=r"There are no weights at .*model\.pt"):
        read_operating_point(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "content",
    ["", "[1, 2]", '{"thresold": 0.5}', '{"threshold": null}', '{"threshold": 1.5}', '{"bias_correction": "no"}'],
)
def test_damaged_point_is_refused_by_name(tmp_path, content):
    (tmp_path / "model_operating_point.json").write_text(content)

    with pytest.raises(InputError, match=r"model_operating_point\.json"):
        read_operating_point(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0}, {"minimum_lesion_ml": -1}, {"temperature": float("inf")}, {"offset": float("nan")}]
)
def test_value_out_of_range_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        OperatingPoint(**wrong)
