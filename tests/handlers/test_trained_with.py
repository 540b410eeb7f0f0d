from ignite.engine import Engine, Events

from islesnet.handlers import SaysTrainedWith
from islesnet.networks.trained_with import read_trained_with

CHOICES = {"sequences": ["dwi"], "spacing": (2.0, 2.0, 2.0)}


def test_what_weights_were_trained_with_is_said_after_the_first_epoch_already(tmp_path):
    weights = tmp_path / "model.pt"
    weights.write_bytes(b"weights")
    engine, said = Engine(lambda engine, batch: None), []
    SaysTrainedWith(weights, CHOICES).attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: said.append(read_trained_with(weights)))

    engine.run([0], max_epochs=2)

    assert said == [{"sequences": ["dwi"], "spacing": [2.0, 2.0, 2.0]}] * 2


def test_nothing_is_said_where_there_are_no_weights(tmp_path):
    SaysTrainedWith(tmp_path / "model.pt", CHOICES).write()

    assert list(tmp_path.iterdir()) == []
