import pytest

from islesnet.failures import printable


@pytest.mark.parametrize(
    ("text", "kept", "shown"),
    [
        ("Ärzte 東京/dwi.nii.gz", "", "Ärzte 東京/dwi.nii.gz"),
        ("a\x1b[2J\nb", "", "a\ufffd[2J\ufffdb"),
        ("a\x1b[2J\nb", "\n", "a\ufffd[2J\nb"),
        (b"m\xfcller".decode(errors="surrogateescape"), "", "m\ufffdller"),
    ],
)
def test_what_a_terminal_would_obey_is_replaced(text, kept, shown):
    assert printable(text, kept) == shown
