"""The page of a report in a real browser: it sorts, filters and explains, fits every width, and asks the network for nothing."""

import browser
import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report

CHROMIUM = browser.find()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=f"no {', '.join(browser.NAMES)} on the PATH")

TIMES = {
    "euler": 2.0,
    "midpoint": 30.0,
    "rk4": 4.0,
    "a_method_with_a_name_far_too_long_for_any_telephone": 3.0,
}
TOLD_OF_PROBLEMS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    records = [
        ok(cell(method, seed), seconds * (1 + 0.01 * seed), target=0.94, seconds_to_target=seconds)
        for seed in range(3)
        for method, seconds in TIMES.items()
    ]
    lost = [failed(cell("dopri5", rtol=1e-3), message="The steps became too small; " * 5)]
    return report.write(
        written(
            tmp_path_factory.mktemp("runs") / "run",
            [*records, *lost],
            command=f"rkbench run {'--method euler ' * 20}",
            commit="0" * 40,
        )
    )


@pytest.fixture(scope="module")
def chromium():
    with browser.Browser(CHROMIUM) as one:
        yield one


@pytest.fixture
def opened(chromium, page):
    chromium.resize(1280)
    chromium.open(page)
    return chromium


def names(opened):
    """Return the names of the rows that are seen, from above."""
    return opened.evaluate(
        "[...document.querySelectorAll('.sortable tbody tr')].filter(row => row.checkVisibility()).map(row => row.dataset.name)"
    )


def shown(opened, selector):
    return opened.evaluate(
        f"(one => one.offsetHeight > 0 && one.textContent)(document.querySelector('{selector}'))"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(chromium, page, width, scheme):
    chromium.resize(width)
    chromium.prefer(scheme)
    chromium.open(page)
    asked = [
        one["params"]["request"]["url"]
        for one in chromium.events
        if one["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [page.resolve().as_uri()]
    assert [one for one in chromium.events if one["method"] in TOLD_OF_PROBLEMS] == []


def test_it_would_not_get_anything_from_elsewhere_either(opened):
    blocked = opened.evaluate(
        "new Promise(done => { addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));"
        " document.body.append(Object.assign(new Image(), {src: 'https://example.org/a.png'})); })"
    )
    assert blocked == "img-src"


@pytest.mark.parametrize("width", [*WIDTHS, 650, 320])
def test_only_its_tables_scroll_sideways(chromium, page, width):
    chromium.resize(width)
    chromium.open(page)
    chromium.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert chromium.evaluate("innerWidth") == width
    assert chromium.evaluate("document.documentElement.scrollWidth") == width


def test_on_a_phone_the_name_stays_where_its_row_scrolls(chromium, page):
    chromium.resize(390)
    chromium.open(page)
    left = "document.querySelector('.sortable tbody th').getBoundingClientRect().left"
    before = chromium.evaluate(left)
    moved = chromium.evaluate(
        "(one => { one.scrollLeft = 200; return one.scrollLeft; })(document.querySelector('.scroll'))"
    )
    assert moved > 100
    assert chromium.evaluate(left) == before


def test_colors_follow_the_scheme(chromium, page):
    papers = set()
    for scheme in ("light", "dark"):
        chromium.prefer(scheme)
        chromium.open(page)
        papers.add(chromium.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert papers == {"rgb(255, 255, 255)", "rgb(15, 19, 24)"}


def test_a_press_on_a_heading_sorts_by_numbers_a_second_the_other_way_and_what_is_missing_stays_last(opened):
    planned = names(opened)
    long = next(name for name in planned if name.startswith("a_method"))
    rising = ["euler ×10", long, "rk4 ×10", "midpoint ×10", "dopri5 @ 1e-3"]
    assert sorted(planned) == sorted(rising)
    opened.click("thead th:nth-child(2) button")
    assert names(opened) == rising
    opened.click("thead th:nth-child(2) button")
    assert names(opened) == [*rising[3::-1], rising[4]]
    assert opened.evaluate("document.querySelectorAll('[aria-sort]').length") == 1


def test_the_keyboard_sorts_too(opened):
    opened.evaluate("document.querySelector('thead th button').focus()")
    opened.press("Tab", 9)
    opened.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", windowsVirtualKeyCode=13, text="\r")
    opened.call("Input.dispatchKeyEvent", type="keyUp", key="Enter", windowsVirtualKeyCode=13)
    assert opened.evaluate("document.querySelector('thead th:nth-child(2)').ariaSort") == "ascending"


def test_the_filter_leaves_rows_with_all_its_words_and_counts_them(opened):
    opened.click("#filter")
    opened.type("D 1E-3")
    assert names(opened) == ["dopri5 @ 1e-3"]
    assert shown(opened, ".filter output") == "1 of 5 rows"
    opened.evaluate("filter.select()")
    opened.press("Backspace", 8)
    assert len(names(opened)) == 5
    assert not shown(opened, ".filter output")


def test_the_filter_unfolds_a_table_where_it_finds_something(opened):
    opened.evaluate(
        "(table => { const fold = document.createElement('details'); fold.className = 'folded';"
        " table.before(fold); fold.append(table); })(document.querySelector('#tables .scroll'))"
    )
    assert names(opened) == []
    opened.click("#filter")
    opened.type("rk4")
    assert names(opened) == ["rk4 ×10"]


def test_a_filter_that_no_row_passes_leaves_none(opened):
    opened.click("#filter")
    opened.type("euler rk4")
    assert names(opened) == []
    assert shown(opened, ".filter output") == "0 of 5 rows"


def test_a_heading_is_explained_to_the_mouse_until_it_leaves(opened):
    where = opened.evaluate(
        "(r => [r.x + 5, r.y + 5])(document.querySelector('thead th:nth-child(2)').getBoundingClientRect())"
    )
    opened.call("Input.dispatchMouseEvent", type="mouseMoved", x=where[0], y=where[1])
    assert "in seconds" in shown(opened, "#tip")
    opened.call("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    assert not shown(opened, "#tip")


def test_a_heading_is_explained_to_the_keyboard_until_escape(opened):
    opened.evaluate("document.querySelector('thead th button').focus()")
    opened.press("Tab", 9)
    assert "in seconds" in shown(opened, "#tip")
    opened.press("Escape", 27)
    assert not shown(opened, "#tip")


def test_every_heading_has_an_explanation_that_a_screen_reader_finds(opened):
    assert opened.evaluate(
        "[...document.querySelectorAll('.sortable thead button')].map(one => document.getElementById("
        "one.getAttribute('aria-describedby')).textContent.length > 15).every(Boolean)"
    )


def test_the_baseline_is_marked_in_words(opened):
    assert shown(opened, "tr.baseline th") == "euler ×10baseline"


def test_the_verdicts_come_first_each_with_a_word_and_a_symbol(opened):
    assert shown(opened, "main > section h2") == "Verdicts"
    assert shown(opened, ".verdicts .claim") == "?undecided"


def test_it_prints_with_everything_unfolded(opened):
    assert opened.pdf().startswith(b"%PDF-")
    assert opened.evaluate("[...document.querySelectorAll('details')].every(one => one.open)")
