import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were written, to look into."""
    figures, write = [], Figure.savefig

    def savefig(figure, *arguments, **options):
        figures.append(figure)
        write(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return figures


@pytest.fixture
def texts(drawn):
    """Everything that is written on the last figure."""

    def texts():
        return [text.get_text() for text in drawn[-1].findobj(Text)]

    return texts
