"""The pages of exports: the list, what would be exported, and the files."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from indexer.query import Choice
from webui import question as questions
from webui import trail
from webui.access import Role, identity, needs, reader
from webui.commission import Commission, RefusedError
from webui.exports import manifest
from webui.exports.job import PDF_LIMIT_COUNT, UNFINISHED, Format, Job
from webui.exports.service import Exports, GoneError, Offer
from webui.question import Question, QuestionError
from webui.tenancy import NotHereError

blueprint = Blueprint("exports", __name__, template_folder="templates")

# In the order in which they are offered: words, and what each is for.
FORMATS = (
    (
        Format.CSV,
        "CSV",
        "A table for a spreadsheet, one column a field. What a spreadsheet would run is defused.",
    ),
    (Format.NDJSON, "NDJSON", "Every event as it is stored, one JSON document a line. Nothing is changed."),
    (Format.PDF, "PDF", f"A document to read and sign, up to {PDF_LIMIT_COUNT:,} rows."),
)


def register(app: Flask, exports: Exports) -> None:
    """Add the feature to an app."""
    app.extensions["audit-exports"] = exports
    app.register_blueprint(blueprint)


@blueprint.get("/exports")
@needs(Role.AUDITOR)
def index() -> str:
    """Show the reader's exports and how far they are."""
    jobs = _exports().all(reader())
    return render_template(
        "exports/index.html",
        jobs=jobs,
        unfinished=sum(job.state in UNFINISHED for job in jobs),
        again=_again,
        local=_local,
        size=_size,
    )


@blueprint.get("/exports/new")
@needs(Role.AUDITOR)
def new() -> str | tuple[str, int]:
    """Show what would be exported, and the formats."""
    try:
        offer = _offer()
    except QuestionError as error:
        return render_template("exports/refused.html", problems=list(error.problems.values())), 400
    # The number of events tells as much as rows: who looks at an offer has searched.
    said = offer.selection.sentence
    trail.record(
        "searched",
        f"{identity().name} searched: {said}",
        who=identity(),
        query=offer.question.address,
        sentence=said,
    )
    return _form(offer)


@blueprint.post("/exports")
@needs(Role.AUDITOR)
def ask() -> Response | str | tuple[str, int]:
    """Ask for an export of what the address says."""
    try:
        offer = _offer()
    except QuestionError as error:
        return render_template("exports/refused.html", problems=list(error.problems.values())), 400
    chosen = request.form.get("format", "")
    if chosen not in set(Format):
        return _form(offer, "Choose one of the formats."), 400
    kind = Format(chosen)
    try:
        _exports().ask(
            reader(),
            offer,
            kind,
            bom=request.form.get("bom") == "1",
            record=lambda job: record_asked(job, offer),
        )
    except RefusedError as error:
        return _form(offer, str(error)), 409
    return redirect(url_for("exports.index"), 303)


@blueprint.get("/exports/<job_id>/file")
@needs(Role.AUDITOR)
def file(job_id: str) -> Response | tuple[str, int]:
    """Give the file of an export to the account that asked for it."""
    try:
        return sent_file(job_id)
    except GoneError as error:
        return render_template("exports/refused.html", problems=[str(error)]), 410


@blueprint.get("/exports/<job_id>/manifest")
@needs(Role.AUDITOR)
def manifest_file(job_id: str) -> Response | tuple[str, int]:
    """Give the manifest of an export."""
    try:
        return sent_manifest(job_id)
    except GoneError as error:
        return render_template("exports/refused.html", problems=[str(error)]), 410


def record_asked(job: Job, offer: Offer) -> None:
    """Write to the trail that somebody asked for an export."""
    said = f"{identity().name} exported {offer.count:,} events as {job.format.name}: {job.subject.sentence}"
    trail.record(
        "exported",
        said,
        who=identity(),
        status=303,
        entity=("Export", job.id),
        query=offer.question.address,
        sentence=job.subject.sentence,
        file_format=job.format.value,
        rows_count=offer.count,
    )


def sent_file(job_id: str) -> Response:
    """Record a download and give its answer. GoneError; 404 when it is not the reader's own."""
    try:
        job, path = _exports().file(reader(), job_id)
    except NotHereError:
        abort(404)
    _exports().downloaded(reader(), job)
    said = f"{identity().name} downloaded {job.words}"
    trail.record(
        "downloaded",
        said,
        who=identity(),
        entity=("Export", job.id),
        sentence=job.subject.sentence,
        file_format=job.format.value,
        rows_count=job.row_count,
    )
    return send_file(path, mimetype=job.format.media_type, as_attachment=True, download_name=job.file_name)


def sent_manifest(job_id: str) -> Response:
    """Give the manifest's answer. GoneError; 404 when it is not the reader's own."""
    try:
        job, path = _exports().file(reader(), job_id)
    except NotHereError:
        abort(404)
    return send_file(
        manifest.beside(path),
        mimetype="application/json",
        as_attachment=True,
        download_name=job.file_name + manifest.SUFFIX,
    )


def _offer() -> Offer:
    try:
        return _exports().offer(reader(), questions.read(request.args.items(multi=True)))
    except NotHereError:
        abort(404)


def _form(offer: Offer, problem: str = "") -> str:
    selection = offer.selection
    return render_template(
        "exports/new.html",
        offer=offer,
        formats=FORMATS,
        limit=PDF_LIMIT_COUNT,
        problem=problem,
        phrases=selection.asked.phrases(selection.zone),
    )


def _again(job: Job) -> str:
    """Give the address that offers the same events once more."""
    if isinstance(job.subject, Commission):
        return job.subject.link
    asked = job.subject.asked
    question = Question(
        chosen={questions.NAMES[name]: choice for name, choice in asked.choices() if choice != Choice()},
        text=asked.text,
        text_field=asked.text_field,
        bookkeeping=asked.bookkeeping,
        tenant=asked.tenant_id,
    )
    return f"{url_for('exports.new')}?{question.within(asked.window).address}"


def _local(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004  the unit's own step
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _exports() -> Exports:
    found: Exports = current_app.extensions["audit-exports"]
    return found
