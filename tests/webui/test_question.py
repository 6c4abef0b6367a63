"""The address of the activity page: read, checked, written back, changed by one click."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.query import DIMENSIONS, Choice, Window
from webui.question import PARAMETERS, PRESETS, Question, QuestionError, local_text, moment, read
from webui.search.page import Form

STOCKHOLM = ZoneInfo("Europe/Stockholm")
# Half an hour after midnight in Stockholm: today there is yesterday in UTC.
NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)

NAMES = st.sampled_from(
    [*PARAMETERS, *(f"not_{name}" for name in PARAMETERS), "q", "in", "from", "to", "range"]
)
VALUES = st.text(min_size=1, max_size=12)


def asked(address: str) -> Question:
    return read(parse_qsl(address, keep_blank_values=True))


def window(address: str) -> Window:
    return asked(address).window(STOCKHOLM, NOW)


def test_every_dimension_has_its_parameter() -> None:
    assert set(PARAMETERS.values()) == set(DIMENSIONS)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_an_address_that_was_written_reads_as_it_was(pairs: list[tuple[str, str]]) -> None:
    question = read(pairs)
    assert asked(question.address) == question


def test_empty_fields_say_nothing() -> None:
    assert asked("q=&user=&from=&range=&in=") == Question()


def test_what_is_about_the_page_is_no_question() -> None:
    assert asked("cursor=abc&counts=1&proof=x&q=pallet") == Question(text="pallet")


@pytest.mark.parametrize("value", ["yes", "true", "2", "-1"])
def test_bookkeeping_is_shown_or_not_and_nothing_else(value: str) -> None:
    with pytest.raises(QuestionError, match=r"bookkeeping: Write 1 to show it, or 0\."):
        asked(f"bookkeeping={value}").filter(STOCKHOLM, NOW)
    assert asked("bookkeeping=1").filter(STOCKHOLM, NOW).bookkeeping
    assert not asked("bookkeeping=0").filter(STOCKHOLM, NOW).bookkeeping


class TestTheHourThatIsTwice:
    """When summer time ends in Stockholm, 02:00 to 02:59 comes first at 00:00 UTC and then at 01:00 UTC."""

    NIGHT = datetime(2026, 10, 25, tzinfo=UTC)

    def test_both_are_within_what_is_typed(self) -> None:
        found = window("from=2026-10-25T02:00&to=2026-10-25T03:00")
        assert (found.start, found.end) == (self.NIGHT, self.NIGHT + timedelta(hours=2))
        assert window("to=2026-10-25T02:59").end == self.NIGHT + timedelta(hours=1, minutes=59)

    @pytest.mark.parametrize("minutes", [0, 30, 60, 90])
    def test_a_bar_of_the_histogram_is_still_within_when_its_form_is_sent_again(self, minutes: int) -> None:
        bar = Window(self.NIGHT + timedelta(minutes=minutes), self.NIGHT + timedelta(minutes=minutes + 30))
        form = Form(Question().within(bar), STOCKHOLM)
        found = Question(start=form.start, end=form.end).filter(STOCKHOLM, NOW).window
        assert found.start
        assert found.end
        assert found.start <= self.NIGHT + timedelta(minutes=minutes)
        assert found.end >= self.NIGHT + timedelta(minutes=minutes + 30)

    def test_nothing_is_left_out_around_an_hour_that_never_was(self) -> None:
        morning = datetime(2027, 3, 28, 1, tzinfo=UTC)
        found = window("from=2027-03-28T02:30&to=2027-03-28T02:45")
        assert found.start
        assert found.end
        assert found.start < morning < found.end


@pytest.mark.parametrize("day", ["2026-11-23", "20261123"])
def test_a_date_alone_is_that_whole_day_however_it_is_written(day: str) -> None:
    found = window(f"from={day}&to={day}")
    assert (found.start, found.end) == (
        datetime(2026, 11, 22, 23, tzinfo=UTC),
        datetime(2026, 11, 23, 23, tzinfo=UTC),
    )


class TestRange:
    """Presets and times, in the reader's zone."""

    @pytest.mark.parametrize(
        ("address", "start", "end"),
        [
            ("range=24h", NOW - timedelta(hours=24), NOW),
            ("range=today", datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC)),
            (
                "range=yesterday",
                datetime(2026, 11, 21, 23, tzinfo=UTC),
                datetime(2026, 11, 22, 23, tzinfo=UTC),
            ),
            ("from=2026-11-23T07:30", datetime(2026, 11, 23, 6, 30, tzinfo=UTC), None),
            ("from=2026-11-23T07:30Z", datetime(2026, 11, 23, 7, 30, tzinfo=UTC), None),
            ("to=2026-11-23", None, datetime(2026, 11, 23, 23, tzinfo=UTC)),
            ("range=custom&from=2026-11-23", datetime(2026, 11, 22, 23, tzinfo=UTC), None),
            ("", None, None),
        ],
    )
    def test_means(self, address: str, start: datetime | None, end: datetime | None) -> None:
        assert window(address) == Window(start, end)

    def test_a_preset_wins_over_dates_left_in_the_form(self) -> None:
        assert window("range=24h&from=2020-01-01") == Window(NOW - timedelta(hours=24), NOW)

    @pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"], ids=["23 hours", "25 hours"])
    def test_a_day_is_as_long_as_it_is_there(self, day: str) -> None:
        found = window(f"from={day}&to={day}")
        assert found.start is not None
        assert found.end is not None
        hours = (found.end.astimezone(UTC) - found.start.astimezone(UTC)) / timedelta(hours=1)
        assert hours == {"2026-03-29": 23, "2026-10-25": 25}[day]

    @pytest.mark.parametrize("preset", PRESETS)
    def test_every_preset_offered_can_be_asked(self, preset: str) -> None:
        assert Question(preset=preset).filter(STOCKHOLM, NOW).sentence(STOCKHOLM)

    def test_the_link_to_exactly_this_says_the_same_in_every_zone(self) -> None:
        exact = asked("range=today&user=anna").within(window("range=today"))
        assert exact.address == "from=2026-11-22T23%3A00%3A00Z&to=2026-11-23T23%3A00%3A00Z&user=anna"
        assert exact.window(ZoneInfo("Asia/Tokyo"), NOW) == window("range=today")


class TestProblems:
    """An impossible address names each parameter at fault."""

    @pytest.mark.parametrize(
        ("address", "names"),
        [
            ("usr=anna", {"usr"}),
            ("from=nonsense", {"from"}),
            ("to=2026-13-01", {"to"}),
            ("from=2026-11-23&to=2026-11-22", {"to"}),
            ("range=forever", {"range"}),
            ("category=nosuch", {"category"}),
            ("not_action=nosuch", {"action"}),
            ("outcome=maybe", {"outcome"}),
            ("ip=10.0.0.300", {"ip"}),
            ("q=x&in=nosuch", {"in"}),
            ("q=" + "x" * 501, {"q"}),
            ("from=nonsense&ip=10.0.0.300&usr=x&category=y", {"from", "ip", "usr", "category"}),
        ],
    )
    def test_are_named(self, address: str, names: set[str]) -> None:
        with pytest.raises(QuestionError) as raised:
            asked(address).filter(STOCKHOLM, NOW)
        assert set(raised.value.problems) == names


class TestClicks:
    """A click changes one thing."""

    def test_only(self) -> None:
        assert asked("user=anna&user=erik&q=x").only("user", "li").address == "q=x&user=li"

    def test_without_a_value_that_was_chosen(self) -> None:
        assert asked("user=anna&user=erik").without("user", "anna").choice("user") == Choice(
            ("erik",), ("anna",)
        )

    def test_dropping_the_last_condition_leaves_nothing(self) -> None:
        assert asked("not_user=anna").dropping("user", "anna") == Question()

    def test_a_bar_of_the_histogram_narrows_the_time(self) -> None:
        assert asked("range=24h&q=x").within(Window(NOW, NOW + timedelta(hours=1))).address == (
            "from=2026-11-22T23%3A30%3A00Z&to=2026-11-23T00%3A30%3A00Z&q=x"
        )


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("2026-11-22T23:00:00Z", "2026-11-23T00:00"),
        ("2026-11-23T07:30:05", "2026-11-23T07:30:05"),
        ("2026-11-23", "2026-11-23T00:00"),
        ("nonsense", "nonsense"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_the_form_shows_times_as_they_are_in_its_zone(typed: str, shown: str) -> None:
    assert local_text(typed, STOCKHOLM) == shown


class TestTimesBeyondSense:
    @pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01T00:00", "1969-12-31", "2200-01-01"])
    def test_are_named_and_not_computed_with(self, text: str) -> None:
        with pytest.raises(QuestionError) as raised:
            moment("to", text, ZoneInfo("Europe/Stockholm"), ends=True)
        assert text in raised.value.problems["to"]
