"""A review as a paper for the exports: what was reviewed, what was found, and who signed for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from webui import wording
from webui.chart import moment_text
from webui.commission import Commission, Maker, Paper, UnmakeableError
from webui.reviews.review import Review
from webui.reviews.service import Reviews, Shown
from webui.tenancy import NotHereError, Reader

MAKER: Final = "review"
_HEADER: Final = ("part", "name", "state", "count", "text", "by")

_environment: Final = Environment(
    loader=PackageLoader("webui.reviews"),
    autoescape=True,
    finalize=wording.plain,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def commission(reader: Reader, review: Review) -> Commission:
    """Give what the exports keep of it."""
    start, end = (moment_text(each, review.zone) for each in (review.start, review.end))
    return Commission(
        maker=MAKER,
        title="Review",
        sentence=f"{review.title}: from {start} until {end} ({review.zone.key}).",
        parameters={"review": review.id},
        link=f"/reviews/{review.id}",
        scope=reader.scope,
        window=review.window,
        zone=review.zone,
        place_name=review.tenant_name,
    )


def maker(reviews: Reviews) -> Maker:
    """Give what the workers of the exports make reviews with."""

    def make(asked: Commission, facts: Mapping[str, str], alive: Callable[[], None]) -> Paper:
        try:
            shown = reviews.one(Reader("", asked.scope), asked.parameters["review"])
        except NotHereError as error:
            raise UnmakeableError("There is no such review.") from error
        alive()
        return Paper(_HEADER, _rows(shown.review), page(shown, facts))

    return make


def page(shown: Shown, facts: Mapping[str, str]) -> str:
    """Give the page of HTML that a PDF is printed from."""
    return _environment.get_template("reviews/print.html").render(
        shown=shown,
        review=shown.review,
        facts=facts,
        moment_text=moment_text,
        moments=datetime.fromisoformat,
    )


def _rows(review: Review) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("checklist", item.title, item.state.value, str(item.count), item.note, item.by)
        for item in review.items
    ]
    return rows + [
        ("finding", each.title, each.outcome.value, str(len(each.events)), each.text, each.by)
        for each in review.findings
    ]
