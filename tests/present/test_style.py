"""A figure holds all that it says: its legend ends within its edges, and its ticks have room."""

from matplotlib.text import Text

from boundcheck.present.style import ONE_COLUMN, looking, panels, pdf


def test_a_figure_for_a_paper_has_its_width_and_letters_that_can_be_read():
    def draw(axis, _):
        axis.plot([0, 1], [0, 1], label="a line")
        axis.text(0.5, 0.5, "small", fontsize=5)

    before = panels([1], draw)
    with looking(ONE_COLUMN):
        figure = panels([1, 2], draw)
        made = pdf(figure)
    assert figure.get_figwidth() == 3.25
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 8
    assert {text.get_fontfamily()[0] for text in texts} == {"STIXGeneral"}
    assert b"STIX" in made
    # The page's own look is as it was.
    after = panels([1], draw)
    assert before.get_figwidth() == after.get_figwidth()
    assert min(text.get_fontsize() for text in after.findobj(Text)) == 5
