"""What the activity page shows around its rows: the form, conditions in force, histogram and facets. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from indexer.counting import Bar, Counts
from indexer.event import ACTIONS, Category, Outcome
from indexer.query import TEXT_FIELDS, Window
from webui import chart, wording
from webui.chart import Chart
from webui.question import LABELS, NAMES, PARAMETERS, PRESETS, VOCABULARIES, Question, local_text
from webui.tenancy import TenantFacts


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a list to choose from."""

    value: str
    label: str
    chosen: bool


class Form:
    """The form's fields with what was typed. Several values of one parameter travel as hidden fields."""

    def __init__(self, asked: Question, zone: ZoneInfo) -> None:
        """`zone`: in which the two date fields speak."""
        self.asked = asked
        self._zone = zone

    def value(self, name: str) -> str:
        """Give what a field shows: the one value in force, if it is one."""
        only = self.asked.choice(name).only
        return only[0] if len(only) == 1 else ""

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Give the conditions that no field of the form can show."""
        found = []
        for name in PARAMETERS:
            choice = self.asked.choice(name)
            found += [(name, value) for value in choice.only if len(choice.only) > 1]
            found += [(f"not_{name}", value) for value in choice.without]
        return found

    @property
    def start(self) -> str:
        """Give what the field `from` shows."""
        return local_text(self.asked.start, self._zone)

    @property
    def end(self) -> str:
        """Give what the field `to` shows."""
        return local_text(self.asked.end, self._zone)

    @property
    def presets(self) -> list[Option]:
        """Give the ranges to choose from."""
        dated = "custom" if self.asked.start or self.asked.end else self.asked.preset
        return [Option(value, label, value == dated) for value, label in PRESETS.items()]

    @property
    def fields(self) -> list[Option]:
        """Give the fields that text can be looked for in."""
        inside = self.asked.text_field
        every = Option("", "all fields", not inside)
        return [every, *(Option(name, each.label, name == inside) for name, each in TEXT_FIELDS.items())]

    @property
    def categories(self) -> list[Option]:
        """Give the categories."""
        return self._options("category", list(Category))

    @property
    def outcomes(self) -> list[Option]:
        """Give the outcomes."""
        return self._options("outcome", list(Outcome))

    @property
    def actions(self) -> list[tuple[str, list[Option]]]:
        """Give the actions under the category where each is met first."""
        seen: set[str] = set()
        groups = []
        for category, actions in ACTIONS.items():
            new = sorted(actions - seen)
            seen |= actions
            if new:
                groups.append((category, self._options("action", new)))
        return groups

    def _options(self, name: str, values: list[str]) -> list[Option]:
        chosen = self.value(name)
        return [Option(str(value), wording.humanised(value), value == chosen) for value in values]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in force, and the question without it."""

    label: str
    value: str
    excluded: bool
    without: Question


@dataclass(frozen=True, slots=True)
class ValueShown:
    """A value of a facet: its count, its share of the largest in percent, and where clicking leads."""

    label: str
    count: int
    share: int
    chosen: bool
    excluded: bool
    only: Question
    without: Question
    dropped: Question


@dataclass(frozen=True, slots=True)
class FacetShown:
    """A facet of the side column."""

    label: str
    values: tuple[ValueShown, ...]
    others: int


@dataclass(frozen=True, slots=True)
class CountsShown:
    """Histogram and facets, ready to be drawn."""

    total: int
    failures: int
    chart: Chart
    zone: str
    facets: tuple[FacetShown, ...]


def active(asked: Question) -> tuple[Condition, ...]:
    """Give the conditions on values that are in force."""
    found = []
    for name in PARAMETERS:
        choice = asked.choice(name)
        for excluded, values in ((False, choice.only), (True, choice.without)):
            found += [
                Condition(LABELS[name], _said(name, value), excluded, asked.dropping(name, value))
                for value in values
            ]
    return tuple(found)


def widenings(asked: Question) -> tuple[tuple[str, Question], ...]:
    """Say what could be left out of a search that found nothing."""
    found: list[tuple[str, Question]] = []
    if asked.preset or asked.start or asked.end:
        found.append(("search all that is kept", asked.any_time()))
    if asked.text:
        found.append(("leave the text out", asked.any_text()))
    for condition in active(asked):
        word = "allow" if condition.excluded else "drop"
        found.append((f"{word} {condition.label.lower()} “{condition.value}”", condition.without))
    return tuple(found)


def counts_shown(counts: Counts, asked: Question, place: TenantFacts) -> CountsShown:
    """Prepare counts for drawing."""
    zone = place.zone

    def bar_leads(bar: Bar) -> Question:
        return asked.within(Window(bar.start, bar.end))

    return CountsShown(
        total=counts.total,
        failures=sum(bar.failures for bar in counts.bars),
        chart=chart.drawn(counts.bars, zone, bar_leads),
        zone=zone.key,
        facets=tuple(_facet(facet.dimension, facet.values, facet.others, asked) for facet in counts.facets),
    )


def _facet(dimension: str, values: tuple[tuple[str, int], ...], others: int, asked: Question) -> FacetShown:
    name = NAMES[dimension]
    largest = max((count for _, count in values), default=1)
    return FacetShown(
        label=LABELS[name],
        values=tuple(
            ValueShown(
                label=_facet_label(name, value),
                count=count,
                share=max(1, round(100 * count / largest)),
                chosen=value in asked.choice(name).only,
                excluded=value in asked.choice(name).without,
                only=asked.only(name, value),
                without=asked.without(name, value),
                dropped=asked.dropping(name, value),
            )
            for value, count in values
        ),
        others=others,
    )


def _facet_label(name: str, value: str) -> str:
    return wording.entity_name(value) if name == "type" else _said(name, value)


def _said(name: str, value: str) -> str:
    """Give a value of a vocabulary in words, and a name as it is."""
    return wording.humanised(value) if name in VOCABULARIES else value
