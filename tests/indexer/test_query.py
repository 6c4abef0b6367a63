"""The filter: its query, its sentence, and the one function that keeps tenants apart."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.query import (
    DIMENSIONS,
    MAX_TEXT_CHARS,
    MAX_VALUES_COUNT,
    OPERATOR,
    TEXT_FIELDS,
    ActivityFilter,
    Choice,
    FilterError,
    Query,
    Scope,
    ScopedQuery,
    Window,
    event_query,
    request_query,
    within_tenant,
)

TENANT = "e9006ab8-257f-4021-b60a-cbba785bad46"
STOCKHOLM = ZoneInfo("Europe/Stockholm")
START = datetime(2026, 11, 22, 23, tzinfo=UTC)
END = datetime(2026, 11, 23, 23, 0, 30, tzinfo=UTC)


def wanted(asked: ActivityFilter) -> list[Any]:
    found: list[Any] = asked.query().clause["bool"]["filter"]
    return found


class TestWithinTenant:
    """Nothing is searched that did not pass it."""

    def test_a_tenant_sees_only_its_own(self) -> None:
        query = within_tenant(Scope(TENANT), event_query("x"))
        assert query.clause == {
            "bool": {"filter": [{"term": {"tenant.id": TENANT}}, {"ids": {"values": ["x"]}}]}
        }

    def test_an_operator_sees_all(self) -> None:
        query = within_tenant(OPERATOR, event_query("x"))
        assert query.clause == {"bool": {"filter": [{"ids": {"values": ["x"]}}]}}

    @pytest.mark.parametrize("name", ["", "-", "*"])
    def test_what_is_no_tenant_is_no_scope(self, name: str) -> None:
        with pytest.raises(ValueError, match="is no tenant"):
            Scope(name)

    def test_no_other_function_makes_a_scoped_query(self) -> None:
        with pytest.raises(TypeError, match="within_tenant alone"):
            ScopedQuery(object(), clause={"match_all": {}}, scope=OPERATOR, window=Window())

    @given(st.text(max_size=30), st.sampled_from([*sorted(TEXT_FIELDS), ""]))
    def test_no_filter_loosens_the_tenant(self, text: str, field: str) -> None:
        asked = ActivityFilter(text=text, text_field=field, tenant_id="another")
        first, *_ = within_tenant(Scope(TENANT), asked.query()).clause["bool"]["filter"]
        assert first == {"term": {"tenant.id": TENANT}}


class TestQuery:
    """What the store is asked."""

    def test_nothing_chosen_leaves_bookkeeping_out(self) -> None:
        assert ActivityFilter().query().clause == {
            "bool": {"must_not": [{"term": {"event.flags": "bookkeeping"}}]}
        }

    def test_with_bookkeeping_it_is_everything(self) -> None:
        assert ActivityFilter(bookkeeping=True).query() == Query({"match_all": {}})

    def test_the_range_is_half_open_and_in_utc(self) -> None:
        window = Window(datetime(2026, 11, 23, tzinfo=STOCKHOLM), END)
        assert wanted(ActivityFilter(window)) == [
            {
                "range": {
                    "@timestamp": {"gte": "2026-11-22T23:00:00.000000Z", "lt": "2026-11-23T23:00:30.000000Z"}
                }
            }
        ]

    def test_values_of_one_dimension_are_alternatives(self) -> None:
        assert wanted(ActivityFilter(category=Choice(("orders", "users")))) == [
            {"terms": {"event.category": ["orders", "users"]}}
        ]

    def test_a_user_is_found_by_name_mail_or_id_in_any_case(self) -> None:
        (clause,) = wanted(ActivityFilter(user=Choice(("Anna",))))
        assert clause["bool"]["minimum_should_match"] == 1
        assert {"term": {"user.email": {"value": "Anna", "case_insensitive": True}}} in clause["bool"][
            "should"
        ]

    @pytest.mark.parametrize(
        ("typed", "pattern"),
        [
            ("SO-2026*", r"SO\-2026.*"),
            ("*d'Arc", r".*d\'Arc"),
            ("ås", "[Åå]s"),
            ("a.b*", r"a\.b.*"),
            ("ß*", "ß.*"),
        ],
    )
    def test_a_star_stands_for_anything_and_the_rest_for_itself(self, typed: str, pattern: str) -> None:
        (clause,) = wanted(ActivityFilter(entity=Choice((typed,))))
        assert clause["bool"]["should"][0]["regexp"]["entity.number"]["value"] == pattern

    @pytest.mark.parametrize(
        ("typed", "clause"),
        [
            ("203.0.113.7", {"term": {"source.ip": "203.0.113.7"}}),
            ("10.1.2.3/8", {"term": {"source.ip": "10.0.0.0/8"}}),
            ("2001:DB8::52", {"term": {"source.ip": "2001:db8::52"}}),
            ("warehouse-pc", {"term": {"source.address": "warehouse-pc"}}),
        ],
    )
    def test_an_address_is_an_ip_a_network_or_a_name(self, typed: str, clause: object) -> None:
        assert wanted(ActivityFilter(address=Choice((typed,)))) == [clause]

    def test_hours_wrap_around_midnight(self) -> None:
        assert wanted(ActivityFilter(hour=Choice(("22-1", "7")))) == [
            {
                "bool": {
                    "should": [{"terms": {"local.hour": [22, 23, 0]}}, {"terms": {"local.hour": [7]}}],
                    "minimum_should_match": 1,
                }
            }
        ]

    def test_a_dash_asks_for_events_that_name_none(self) -> None:
        nobody = {
            "bool": {
                "must_not": [{"exists": {"field": name}} for name in ("user.name", "user.email", "user.id")]
            }
        }
        assert wanted(ActivityFilter(user=Choice(("-",)))) == [nobody]
        (clause,) = wanted(ActivityFilter(user=Choice(without=("-",))))
        assert clause == {"bool": {"must_not": [nobody]}}
        assert "by (none named)" in ActivityFilter(user=Choice(("-",))).sentence(STOCKHOLM)

    def test_what_is_excluded_must_not_be(self) -> None:
        asked = ActivityFilter(action=Choice(without=("read",)), bookkeeping=True)
        unwanted = {"bool": {"must_not": [{"terms": {"event.action": ["read"]}}]}}
        assert asked.query().clause == {"bool": {"filter": [unwanted]}}

    def test_a_facet_is_counted_without_its_own_choice(self) -> None:
        asked = ActivityFilter(
            category=Choice(only=("orders",)), user=Choice(without=("li",)), bookkeeping=True
        )
        assert asked.unrefined_query().clause == {"match_all": {}}
        assert list(asked.refinements()) == ["category", "user"]

    def test_the_records_of_a_request_lie_within_half_a_day_of_it(self) -> None:
        query = request_query(request_id="0HN:1", source="app", host="", around=END)
        assert query.clause["bool"]["filter"][1:] == [
            {"term": {"request.id": "0HN:1"}},
            {"term": {"log.source": "app"}},
        ]
        assert query.window.start is not None
        assert query.window.end is not None
        assert (query.window.end - query.window.start).days == 1


class TestLimits:
    """What cannot be asked, and how it is said."""

    @pytest.mark.parametrize(
        ("field", "make"),
        [
            ("end", lambda: ActivityFilter(Window(END, START))),
            ("text", lambda: ActivityFilter(text="x" * (MAX_TEXT_CHARS + 1))),
            ("text_field", lambda: ActivityFilter(text="x", text_field="nosuch")),
            ("address", lambda: ActivityFilter(address=Choice(("10.0.0.300",)))),
            ("address", lambda: ActivityFilter(address=Choice(without=("10.0.0.0/40",)))),
            ("text", lambda: ActivityFilter(text="ü" * 300, text_field="path")),
            ("user", lambda: ActivityFilter(user=Choice(("ü" * 256,)))),
            ("user", lambda: ActivityFilter(user=Choice(("",)))),
            ("user", lambda: ActivityFilter(user=Choice(tuple(map(str, range(MAX_VALUES_COUNT + 1)))))),
        ],
        ids=[
            "order of times",
            "long text",
            "unknown field",
            "no IP",
            "no network",
            "accents",
            "a name of accents",
            "empty",
            "too many",
        ],
    )
    def test_the_error_names_the_field(self, field: str, make: Callable[[], ActivityFilter]) -> None:
        with pytest.raises(FilterError) as raised:
            make()
        assert raised.value.field == field
        assert raised.value.reason.endswith(".")

    def test_a_time_without_zone_is_our_own_mistake(self) -> None:
        with pytest.raises(ValueError, match="without a zone"):
            ActivityFilter(Window(datetime(2026, 11, 23)))  # noqa: DTZ001


class TestSentence:
    """A filter says what it looks for."""

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            (ActivityFilter(), "All activity, at any time, bookkeeping left out."),
            (
                ActivityFilter(
                    Window(START, END),
                    category=Choice(("authentication",)),
                    action=Choice(("login_failed",)),
                    user=Choice(("anna", "erik*")),
                ),
                (
                    "All activity in authentication with action login failed by anna or erik*, "
                    "from 2026-11-23 00:00 until 2026-11-24 00:00:30 (Europe/Stockholm), "
                    "bookkeeping left out."
                ),
            ),
            (
                ActivityFilter(
                    Window(start=START),
                    entity=Choice(("SO-10023",)),
                    address=Choice(without=("10.0.0.0/8",)),
                    text="pallet jack",
                    text_field="new_value",
                    bookkeeping=True,
                ),
                (
                    "All activity about SO-10023 with “pallet jack” in the new value, from 2026-11-23 00:00 "
                    "(Europe/Stockholm), not from 10.0.0.0/8, bookkeeping included."
                ),
            ),
        ],
    )
    def test_reads_as_one(self, asked: ActivityFilter, sentence: str) -> None:
        assert asked.sentence(STOCKHOLM) == sentence

    @pytest.mark.parametrize("name", DIMENSIONS)
    @pytest.mark.parametrize("excluded", [False, True], ids=["only", "without"])
    def test_leaves_no_condition_out(self, name: str, *, excluded: bool) -> None:
        value = "18-7" if name == "hour" else "some*value"
        choice = Choice(without=(value,)) if excluded else Choice((value,))
        asked = ActivityFilter(**{name: choice})  # type: ignore[arg-type]
        assert value in asked.sentence(STOCKHOLM)
        assert asked.query() != ActivityFilter().query()

    @pytest.mark.parametrize("name", TEXT_FIELDS)
    def test_names_the_field_of_the_text(self, name: str) -> None:
        asked = ActivityFilter(text="word", text_field=name)
        assert f"“word” in the {TEXT_FIELDS[name].label}" in asked.sentence(STOCKHOLM)
