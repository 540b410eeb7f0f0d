import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imsave

from islesnet.report import Page
from islesnet.report.page import Panel

HOSTILE = "<script>alert('x')</script>\"&"


class Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def written(page, tmp_path):
    html = page.write(tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    parsed = Tags(html)
    assert parsed.open == []
    return html, parsed


@pytest.fixture
def picture(tmp_path):
    imsave(tmp_path / "picture.png", np.zeros((20, 30)))
    return tmp_path / "picture.png"


def test_page_says_research_use_only_and_every_stamp_with_its_meaning(tmp_path):
    html, _ = written(Page("A title", stamps=("PHANTOM", "LEAKY", "HOMEMADE")), tmp_path)
    body = html.partition("<body>")[2]
    assert body.index("Research use only, not a medical device") < body.index("<h1>")
    assert all(f"<b>{stamp}</b>" in body for stamp in ("PHANTOM", "LEAKY", "HOMEMADE"))
    assert "PHANTOM: the patients are synthetic" in body
    assert "LEAKY: the split is by slices" in body


def test_whatever_is_written_is_escaped(tmp_path, picture):
    page = Page(HOSTILE, stamps=(HOSTILE,))
    page.section(HOSTILE, HOSTILE)
    page.text(HOSTILE)
    page.facts({HOSTILE: (HOSTILE, HOSTILE)})
    page.table(pd.DataFrame({HOSTILE: [HOSTILE], "second" + HOSTILE: [HOSTILE]}), HOSTILE)
    page.picture(picture, HOSTILE)
    html, parsed = written(page, tmp_path)
    assert "<script" not in html
    assert {tag for tag, _ in parsed.tags} >= {"table", "img", "dl"}
    assert ("img", HOSTILE) in [(tag, attributes.get("alt")) for tag, attributes in parsed.tags]
    assert ("td", "second" + HOSTILE) in [(tag, attributes.get("data-name")) for tag, attributes in parsed.tags]
    assert parsed.words.count(HOSTILE) == 15


def test_page_loads_nothing_from_anywhere(tmp_path, picture):
    page = Page("A title")
    page.picture(picture, "a picture")
    html, parsed = written(page, tmp_path)
    sources = [value for _, attributes in parsed.tags for name, value in attributes.items() if name in ("src", "href")]
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert not re.search(r"url\(|@import|https?://", html)
    assert "default-src 'none'" in html


def test_picture_keeps_its_size_so_that_the_page_does_not_jump(tmp_path, picture):
    page = Page("A title")
    page.picture(picture, "a picture")
    _, parsed = written(page, tmp_path)
    (image,) = [attributes for tag, attributes in parsed.tags if tag == "img"]
    assert (image["width"], image["height"]) == ("30", "20")


def test_pictures_in_a_row_share_a_grid_and_a_section_ends_it(tmp_path, picture):
    page = Page("A title")
    page.picture(picture, "one")
    page.picture(picture, "two")
    page.section("Next")
    page.picture(picture, "three")
    html, _ = written(page, tmp_path)
    assert html.count('<div class="pictures">') == 2
    assert html.index("two</figcaption>") < html.index("Next</h2>") < html.index("three</figcaption>")


def test_sections_are_linked_from_the_top(tmp_path):
    page = Page("A title")
    page.section("First", "One paragraph.\n\nAnother.")
    page.section("Second")
    html, _ = written(page, tmp_path)
    assert '<a href="#section-2">Second</a>' in html
    assert '<h2 id="section-2">Second</h2>' in html
    assert "<p>One paragraph.</p>\n<p>Another.</p>" in html


def test_columns_of_numbers_are_set_right_and_words_left(tmp_path):
    page = Page("A title")
    frame = pd.DataFrame(
        {
            "name": ["1", "2"],
            "interval": ["0.551 to 0.720", "–"],
            "error": ["−4.25", "∞"],
            "missed": ["1 of 28", "0 of 28"],
            "counts": ["2 / 3", "1 / –"],
            "difference": ["−0.198 (−0.264 to −0.135)", "+0.063"],
            "raw": [0.5, np.nan],
            "note": ["0.5 in all", "–"],
        }
    )
    page.table(frame, "a table")
    html, parsed = written(page, tmp_path)
    head = [attributes["class"] for tag, attributes in parsed.tags if attributes.get("scope") == "col"]
    assert head == ["text", *["number"] * 6, "word"]
    assert '<td class="number" data-name="raw">0.500</td>' in html
    assert '<td class="number" data-name="raw">–</td>' in html


def test_table_scrolls_inside_its_own_box_and_a_long_one_says_how_long_it_is(tmp_path):
    page = Page("A title")
    page.table(pd.DataFrame({"patient": [str(number) for number in range(300)]}), "All.")
    page.table(pd.DataFrame({"patient": ["1"]}), "One.")
    html, _ = written(page, tmp_path)
    assert '<div class="scroll long" tabindex="0" role="region" aria-label="All. 300 rows: the table scrolls.">' in html
    assert '<div class="scroll" tabindex="0" role="region" aria-label="One.">' in html


def test_table_without_rows_is_written(tmp_path):
    page = Page("A title")
    page.table(pd.DataFrame(columns=["patient", "dice"]), "none")
    html, _ = written(page, tmp_path)
    assert "<tbody></tbody>" in html


def test_sentences_make_a_table_of_cards_on_a_phone_and_single_words_do_not(tmp_path):
    words, sentences = Page("A title"), Page("A title")
    words.table(pd.DataFrame({"name": ["1"], "side": ["left"]}), "a table")
    sentences.table(pd.DataFrame({"name": ["1"], "reason": ["the field of view is cut"]}), "a table")
    assert 'class="scroll"' in written(words, tmp_path)[0]
    assert 'class="scroll cards"' in written(sentences, tmp_path)[0]


def test_lines_of_a_sentence_are_kept_in_a_table_and_in_its_cards_on_a_phone(tmp_path):
    page = Page("A title")
    lines = "No DWI was recognised. Looked at:\n  swi.nii.gz: not used\n  and 3 more"
    page.table(pd.DataFrame({"name": ["1"], "reason": [lines]}), "a table")
    page.alert("Careful", [lines])
    html, _ = written(page, tmp_path)
    assert f'<td class="text" data-name="reason">{lines}</td>' in html and f"<li>{lines}</li>" in html
    rules = re.findall(r"([^{}]+)\{[^{}]*white-space: ([\w-]+)", re.sub(r"/\*.*?\*/", "", html))
    kept = [style for names, style in rules for name in names.split(",") if name.strip() in ("td.text", ".cards td")]
    assert kept == ["pre-wrap"]


def test_warning_lead_points_subsections_panels_and_links_are_escaped(tmp_path, picture):
    page = Page("A title", running_title=HOSTILE)
    page.alert(HOSTILE, [HOSTILE])
    page.lead(HOSTILE)
    page.subsection(HOSTILE)
    page.points([HOSTILE])
    page.panels([Panel(picture.read_bytes(), HOSTILE, HOSTILE)], size="small")
    page.table(pd.DataFrame({"name": [HOSTILE, "2"]}), "a table", links=["%22%3E/report.html", None])
    html, parsed = written(page, tmp_path)
    assert "<script" not in html
    assert parsed.words.count(HOSTILE) == 8
    assert [attributes["href"] for tag, attributes in parsed.tags if tag == "a"] == ["%22%3E/report.html"]


def test_banner_is_the_head_of_every_printed_page(tmp_path):
    html, parsed = written(Page("A title"), tmp_path)
    kinds = [attributes.get("class") for tag, attributes in parsed.tags if tag == "div"]
    assert kinds == ["sheet", "banner"]
    printed = html.partition("@media print")[2]
    assert ".sheet { display: table;" in printed
    assert ".banner { display: table-header-group;" in printed


def test_heading_and_caption_stay_with_their_table_in_print(tmp_path):
    html, _ = written(Page("A title"), tmp_path)
    printed = html.partition("@media print")[2]
    assert "h2, h3, h2 + p, .table figcaption, thead { break-after: avoid; }" in printed
    assert "tbody tr:first-child { break-before: avoid; }" in printed
