import pytest
from ignite.engine import Engine, Events

from islesnet.errors import InputError
from islesnet.handlers import NeedsBiasCorrection, SaysTrainedWith
from islesnet.networks import OperatingPoint, operating_point_file, read_operating_point
from islesnet.networks.trained_with import read_trained_with

CHOICES = {"sequences": ["dwi"], "spacing": (2.0, 2.0, 2.0)}


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"weights")
    return path


def test_weights_are_said_to_need_the_correction_after_the_first_epoch_already(weights):
    engine, said = Engine(lambda engine, batch: None), []
    NeedsBiasCorrection(weights).attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: said.append(read_operating_point(weights)))

    engine.run([0], max_epochs=2)

    assert said == [OperatingPoint(bias_correction=True)] * 2


def test_point_that_was_chosen_for_the_weights_keeps_the_rest(weights):
    OperatingPoint(threshold=0.3, temperature=2.0).write(operating_point_file(weights))

    NeedsBiasCorrection(weights).write()

    assert read_operating_point(weights) == OperatingPoint(threshold=0.3, temperature=2.0, bias_correction=True)


def test_what_weights_were_trained_with_is_said_after_the_first_epoch_already(weights):
    engine, said = Engine(lambda engine, batch: None), []
    SaysTrainedWith(weights, CHOICES).attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: said.append(read_trained_with(weights)))

    engine.run([0], max_epochs=2)

    assert said == [{"sequences": ["dwi"], "spacing": [2.0, 2.0, 2.0]}] * 2


def test_nothing_is_said_where_there_are_no_weights(tmp_path):
    NeedsBiasCorrection(tmp_path / "model.pt").write()
    SaysTrainedWith(tmp_path / "model.pt", CHOICES).write()

    assert list(tmp_path.iterdir()) == []


def test_damaged_point_is_refused_by_name(weights):
    operating_point_file(weights).write_text("{")

    with pytest.raises(InputError, match=r"model_operating_point\.json: no operating point can be read"):
        NeedsBiasCorrection(weights).write()
