from ignite.engine import Engine

from islesnet.handlers import EndEarly, ResumableEarlyStop


def test_trainer_ends_after_validations_without_progress_and_the_count_is_kept():
    early_stop = ResumableEarlyStop(patience=2, score_function=lambda engine: 0.5)
    evaluator, trainer = Engine(lambda engine, batch: None), Engine(lambda engine, batch: None)
    early_stop.attach(evaluator)
    EndEarly(early_stop).attach(trainer)

    for _ in range(2):  # the best, and the first that is no better
        evaluator.run([0])
    resumed = ResumableEarlyStop(patience=2, score_function=lambda engine: 0.5)
    EndEarly(resumed).attach(trainer)
    resumed.attach(evaluator := Engine(lambda engine, batch: None))
    resumed.load_state_dict(early_stop.state_dict())
    was_ended = trainer.should_terminate
    evaluator.run([0])

    assert not was_ended
    assert trainer.should_terminate
