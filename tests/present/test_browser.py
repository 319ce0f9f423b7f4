"""Each kind of page in a real browser: nothing runs over, no formulas overlap, links lead
somewhere, all can be read.

The browser is Debian's `chromium`, or one of its other names. Where the variable ``CI`` is set a
missing browser is a failure, and elsewhere the tests are skipped.
"""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from boundcheck.proofs.jiang2024 import report

from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.present.material import Material
from boundcheck.present.page import write_page
from soundness.page import write_survey
from tests.judged import of_the_paper
from tests.layers import covering
from tests.proof.conftest import paper as the_paper
from tests.soundness.test_page import HONEST

from .made import need, written_report
from .test_networks import on_disk, run, write_runs
from .test_proofs import audit as small_proofs

pytestmark = [pytest.mark.full, of_the_paper]

proofs = small_proofs
paper = the_paper
NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (390, 820, 1440)
SCHEMES = ("light", "dark")
# Of text against what is behind it: 4.5 is what WCAG 2 asks of text, 3 of large text and of what is
# drawn.
LEAST = 4.5
LEAST_LARGE = 3.0

# How much of the window the column with the content takes, of which it need not take more than 60
# em.
SHARE = "() => document.querySelector('main').clientWidth / Math.min(innerWidth, 960)"
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# The boxes of displayed formulas, with what their parts reach beyond them, cut off where they are
# scrolled.
OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll('.formula math')].map(formula => {
    const around = formula.closest('.formula').getBoundingClientRect();
    const parts = [formula, ...formula.querySelectorAll('*')]
      .map(x => x.getBoundingClientRect()).filter(x => x.height);
    return {
      text: formula.textContent.slice(0, 40),
      left: Math.max(around.left, Math.min(...parts.map(x => x.left))),
      right: Math.min(around.right, Math.max(...parts.map(x => x.right))),
      top: Math.min(...parts.map(x => x.top)), bottom: Math.max(...parts.map(x => x.bottom)),
    };
  }).filter(x => x.right > x.left && x.bottom > x.top).sort((one, other) => one.top - other.top);
  const found = [];
  boxes.forEach((one, place) => {
    for (const other of boxes.slice(place + 1)) {
      if (other.top >= one.bottom - 1) break;
      if (other.left < one.right - 1 && one.left < other.right - 1)
        found.push(one.text + ' and ' + other.text);
    }
  });
  return found;
}"""
CONTRAST = """([least, large]) => {
  const channels = color => (color.match(/[\\d.]+/g) || []).map(Number);
  const light = color => {
    const [r, g, b] = channels(color).slice(0, 3).map(x => x / 255).map(
      x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const opaque = color =>
    color.startsWith('rgb') && (channels(color).length < 4 || channels(color)[3] > 0.99);
  const behind = element => {
    for (let each = element; each; each = each.parentElement)
      if (opaque(getComputedStyle(each).backgroundColor))
        return getComputedStyle(each).backgroundColor;
    return 'rgb(255, 255, 255)';
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    if (element.closest('svg')) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? large : least;
    if (ratio(style.color, behind(element)) < needed)
      found.add(element.tagName + ' ' + element.className + ' ' + element.textContent.slice(0, 30));
  }
  for (const glyph of document.querySelectorAll('svg use')) {
    const fill = getComputedStyle(glyph).fill;
    if (fill !== 'none' && ratio(fill, behind(glyph)) < large) found.add('drawn in ' + fill);
  }
  return [...found];
}"""
BROKEN_LINKS = """() => [...document.querySelectorAll('a[href^="#"]')].filter(
  link => !document.getElementById(decodeURIComponent(link.hash.slice(1)))
).map(link => link.hash)"""


def problems(page):
    """What is wrong with the page as it stands."""
    found = [f"{page.evaluate(WIDE)} pixels too wide"] if page.evaluate(WIDE) > 0 else []
    found += ["too narrow"] if page.evaluate(SHARE) < 0.9 else []
    found += [f"overlap: {each}" for each in page.evaluate(OVERLAPS)]
    found += [f"too faint: {each}" for each in page.evaluate(CONTRAST, [LEAST, LEAST_LARGE])]
    return found + [f"leads nowhere: {each}" for each in page.evaluate(BROKEN_LINKS)]


def opened(browser, path, width, scheme):
    """The page, all that folds unfolded, and what its console says."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said = list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.evaluate(
        "() => document.querySelectorAll('details').forEach(each => { each.open = true; })"
    )
    return page, said


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    need(found is not None, f"a browser, one of {', '.join(NAMES)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield made
        made.close()


@pytest.fixture(scope="module")
def pages(stored, searches, waterfalls, proofs, paper, tmp_path_factory):
    """The page of each kind: a paper's audit, networks, the checker checked, a paper of one's
    own."""
    root = tmp_path_factory.mktemp("pages")
    # Every row, and the proofs of some claims: a page of all of them is large, and nothing else
    # stands on it.
    claims = [each for i, each in enumerate(paper.claims) if i < 6 or each.id in report.STATEMENTS]
    outcome = written_report(
        stored, replace(paper, claims=tuple(claims)), searches, waterfalls, root / "audit"
    )
    network = on_disk(run(), root / "0123456789ab")
    own = Material(stored, proofs=proofs, command="boundcheck audit my-paper")
    return {
        "audit": Path(outcome["report"]),
        "networks": write_runs(
            [network], root / "networks" / "index.html", "Networks", "Lead.", "a command"
        )[0],
        "soundness": write_survey(HONEST, root / "soundness", "python -m soundness")[0],
        "own": write_page(own, root / "own" / "index.html", "My paper", "Lead.")[0],
    }


@covering
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["audit", "networks", "soundness", "own"])
def test_a_page_can_be_read(kind, width, scheme, pages, browser):
    page, said = opened(browser, pages[kind], width, scheme)
    assert problems(page) == []
    assert said == []
    page.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_contents_lead_to_each_section(width, pages, browser):
    page, _ = opened(browser, pages["audit"], width, "light")
    listed = page.locator("nav:visible a")
    names = [heading.text_content() for heading in page.locator("section > h2").all()]
    assert listed.count() == len(names) > 5
    for place, name in enumerate(names):
        listed.nth(place).click()
        assert page.evaluate("() => document.querySelector(':target').textContent") == name
        top = page.evaluate("() => document.querySelector(':target').getBoundingClientRect().top")
        assert -5 <= top <= 900
    page.close()


def test_a_finding_is_copied_with_a_link_to_its_row(pages, browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.route("https://a.test/(1)/*", lambda asked: asked.fulfill(path=pages["audit"]))
    page = context.new_page()
    for address, link in (
        ("https://a.test/(1)/x.html", "https://a.test/%281%29/x.html#"),
        (pages["audit"].as_uri(), "index.html#"),
    ):
        page.goto(address)
        for button in page.locator("button.copy").all()[:2]:
            button.click()
            page.get_by_text("Copied as Markdown").wait_for()
            text = page.evaluate("() => navigator.clipboard.readText()")
            found = re.findall(r"\]\((.*?)\)", text)
            assert f"{link}row-1" in found
            assert all(each.startswith(link) for each in found)
    context.close()


def test_a_keyboard_gets_past_the_contents(pages, browser):
    page, _ = opened(browser, pages["audit"], 1440, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.hash") == "#content"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.close()


PLANTED = {
    "pixels too wide": "<div style='width: 3000px'>wide</div>",
    "overlap": (
        "<div class='formula'><math><mi>x</mi></math></div>"
        "<div class='formula' style='margin-top: -3.2em'><math><mi>y</mi></math></div>"
    ),
    "too faint": "<p style='color: #999; background: #888'>faint</p>",
    "too narrow": "<style>main { max-width: 20rem !important; }</style>",
    "leads nowhere": "<a href='#nowhere'>nowhere</a>",
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_wrong_is_seen(what, pages, browser):
    page, said = opened(browser, pages["soundness"], 820, "light")
    page.evaluate(
        "html => document.querySelector('main').insertAdjacentHTML('beforeend', html)",
        PLANTED[what],
    )
    assert [what in each for each in problems(page)] == [True]
    page.evaluate("() => console.error('planted')")
    assert said == ["planted"]
    page.close()


AT_POINTS = """points => points.map(([claim, values]) => {
  const place = document.querySelector('.calculator'), chosen = place.querySelector('select');
  if (chosen.value !== claim) {
    chosen.value = claim;
    chosen.dispatchEvent(new Event('change'));
  }
  for (const [name, value] of Object.entries(values)) {
    const typed = place.querySelector(`[data-name="${name}"] [type=number]`);
    typed.value = value;
    typed.dispatchEvent(new Event('input'));
  }
  return [...place.querySelectorAll('td[data-value]')].map(each => each.dataset.value);
})"""


def calculator(pages):
    """The page on which the calculator of the audit stands."""
    found = pages["audit"].parent.glob("*.html")
    (path,) = (each for each in found if 'class="calculator"' in each.read_text())
    return path


@covering
def test_the_calculator_says_what_the_claims_say(pages, browser):
    """At 1,000 points, and nothing as the bound where a condition of the claim fails."""
    page, said = opened(browser, calculator(pages), 820, "light")
    offered = page.eval_on_selector_all(".calculator option", "all => all.map(x => x.value)")
    draw = np.random.default_rng(0)
    points = []
    for i in range(1000):
        claim = catalogue[offered[i % len(offered)]]
        longest = {each.name: 6 if each.name == "T" else 2 for each in claim.parameters}
        powers = {name: 10 ** draw.uniform(0, most) for name, most in longest.items()}
        values = {
            each.name: int(powers[each.name])
            if each.symbol.is_integer
            else float(f"{powers[each.name] / 10:.3g}")
            for each in claim.parameters
        }
        points.append((claim.id, values))
    held = 0
    for (id, values), shown in zip(points, page.evaluate(AT_POINTS, points), strict=True):
        try:
            *others, last = catalogue[id].values(**values).values()
        except InputError:
            # It breaks a condition, or its bound is no positive number.
            assert shown[-1] == ""
            continue
        held += 1
        assert [float(x) for x in shown] == pytest.approx([*others, last], rel=1e-9)
    assert held > 500
    assert said == []


@covering
def test_the_address_of_the_calculator_keeps_its_numbers(pages, browser):
    """A link to it leads to the same claim at the same numbers."""
    page, _ = opened(browser, calculator(pages), 820, "light")
    ids = page.eval_on_selector_all(".calculator option", "all => all.map(x => x.value)")
    page.evaluate(AT_POINTS, [(ids[-1], {catalogue[ids[-1]].parameters[0].name: 2.5})])
    again = browser.new_page()
    again.goto(page.url)
    for what in ("pre", "table"):
        texts = [each.inner_text(f".calculator {what}") for each in (page, again)]
        assert texts[0] == texts[1]
    assert "=2.5" in page.url
