"""How a workflow's command line is answered, and what it says where that failed."""

import pytest

from islesnet.errors import InputError
from workflows.command_line import answer, command_line, say_failures


@pytest.fixture
def parser():
    parser = command_line("wash", "Wash the dishes.\n\n    wash --times 2")
    parser.add_argument("--times", type=int, default=1)
    return parser


def test_work_gets_what_was_asked_for_and_gives_the_exit_code(parser):
    assert answer(parser, lambda arguments: arguments.times, ["--times", "3"]) == 3
    assert answer(parser, lambda arguments: arguments.times, []) == 1


def test_help_is_shown_as_it_was_written(parser):
    assert "usage: wash [-h] [--times TIMES]\n\nWash the dishes.\n\n    wash --times 2\n" in parser.format_help()


def test_what_the_user_can_mend_is_one_sentence_after_the_verb_and_exit_code_1(parser, capsys):
    def work(_):
        try:
            raise InputError("the plate is broken; give a whole one")
        except InputError as error:
            raise RuntimeError("MONAI says something else") from error

    assert answer(parser, work, []) == 1
    assert capsys.readouterr().err == "wash: the plate is broken; give a whole one\n"


def test_a_bug_keeps_its_traceback(parser):
    with pytest.raises(ZeroDivisionError):
        answer(parser, lambda _: 1 // 0, [])


def test_failures_are_named_after_what_to_do_about_them(capsys):
    say_failures("wash", [])
    assert capsys.readouterr().err == ""
    say_failures("wash", ["fold_1/cup: broken", "fold_2/cup: lost"])
    assert capsys.readouterr().err == (
        "wash: some parts failed; the same command tries them again.\nfold_1/cup: broken\nfold_2/cup: lost\n"
    )
