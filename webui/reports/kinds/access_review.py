"""Access review: accounts that the log knows, when each last signed in, what changed of users and roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from indexer import counting, grouping
from indexer.names import learned
from indexer.query import Json, Window
from webui import chart
from webui.matching import linkable
from webui.question import Question
from webui.reports.listing import changes_table
from webui.reports.material import FAILED_SIGN_INS, SIGN_INS, Material, narrowed, who
from webui.reports.people import Naming, People, Person
from webui.reports.report import Body, Cell, Figure, Picture, Table, by_count, columns, number, when

CATEGORIES: Final = ("authentication", "users", "audit")
CHANGES: Final = (
    *("created", "updated", "deleted", "role_changed"),
    *("role_created", "role_updated", "role_deleted", "permissions_changed"),
)
ACTIONS: Final = (*SIGN_INS, *FAILED_SIGN_INS, *CHANGES, "configured")
_ROLES: Final = ("role_changed", "role_created", "role_updated", "role_deleted", "permissions_changed")
_USER: Final = "ApplicationUser"
_ROLE: Final = "ApplicationRole"
_SUBJECT: Final = {"id": grouping.by("entity.id"), "number": grouping.by("entity.number")}
_LAST: Final[Json] = {"last": {"max": {"field": "@timestamp"}}}
_ABOUT: Final[Json] = {
    "roles": {"filter": {"terms": {"event.action": ["role_changed"]}}},
    "deleted": {"filter": {"bool": {"filter": [
        {"term": {"event.action": "deleted"}}, {"term": {"event.outcome": "success"}},
    ]}}},
}  # fmt: skip


@dataclass
class _Account:
    """What the log knows of one account."""

    last: datetime | None = None
    signed_in: int = 0
    failed: int = 0
    about: int = 0
    roles: int = 0
    deleted: bool = False


def body(material: Material, question: Question, _numbers: dict[str, int]) -> Body:
    """Make the report; `question` is what it rests on."""
    ever = question.within(Window(None, material.window.end))
    everything = material.base.within(Window(None, material.window.end))
    subjects = narrowed(everything, category=("users",), type=(_USER,))
    namings = [material.naming(each) for each in material.groups(everything, who())]
    namings += [_subject(material, each) for each in material.groups(subjects, _SUBJECT)]
    stuff = replace(material, people=People(_named(material, namings)))
    accounts: dict[Person, _Account] = {
        person: _Account() for person in stuff.people if person.accounts_count and _is_asked(person, question)
    }
    _read(stuff, question, ever, accounts)
    changes = narrowed(question, category=("users",))
    configured = question.only("action", "configured")
    changes_count = stuff.count(changes)
    sign_ins = narrowed(question, action=SIGN_INS)
    dormant = sum(1 for each in accounts.values() if not each.signed_in and not each.deleted)
    return Body(
        figures=(
            Figure("Accounts seen", Cell(f"{len(accounts):,}", str(len(accounts)))),
            Figure("Without a login in the period", Cell(f"{dormant:,}", str(dormant), bad=bool(dormant))),
            Figure("Logins", number(stuff.count(sign_ins), sign_ins)),
            Figure("Changes of users and roles", number(changes_count, changes)),
            Figure(
                "of roles and permissions",
                number(stuff.count(changes.any_of("action", _ROLES)), changes.any_of("action", _ROLES)),
            ),
            Figure("Settings of this audit", number(stuff.count(configured), configured)),
        ),
        pictures=(
            Picture(
                "Logins over time",
                chart.drawn(
                    stuff.bars(sign_ins),
                    stuff.zone,
                    lambda bar: sign_ins.within(Window(bar.start, bar.end)),
                ),
                "Logins over time; each bar leads to its own",
            ),
        ),
        tables=(
            _accounts_table(stuff, question, ever, accounts),
            _roles_table(stuff, changes),
            changes_table(
                stuff, changes, changes_count, ("changes", "Changes of users and roles, the newest first")
            ),
        ),
        statements=(
            (
                "Accounts and roles are known from what they did and from changes of them, in all that is "
                "kept until the end of the period. The log cannot know accounts that have neither signed in "
                "nor been changed since it began, roles that were given before that, and what was changed in "
                "the database itself. Compare with SmartWMS's own list of users."
            ),
            "A login is typed, or by single sign-on; a session that is only renewed is none.",
        ),
    )


def _named(material: Material, namings: list[Naming]) -> Iterator[Naming]:
    """Call accounts of which nothing but the id is known as the trail calls them elsewhere."""
    unknown = {each.texts[0] for each in namings if each.id and len(each.texts) == 1}
    known = {each.id for each in namings if len(each.texts) > 1}
    emails = learned(material.search, material.scope, unknown - known)
    for naming in namings:
        email = emails.get(naming.id, "")
        yield replace(naming, email=email) if email and "@" in email else naming


def _is_asked(person: Person, question: Question) -> bool:
    choice = question.choice("user")
    return not choice.only or bool(set(person.only) & set(choice.only))


def _subject(material: Material, bucket: dict[str, Any]) -> Naming:
    key = bucket["key"]
    number_text = key["number"] or ""
    email = number_text if "@" in number_text else ""
    return Naming(material.tenant_of(key), key["id"] or "", "" if email else number_text, email)


def _read(material: Material, question: Question, ever: Question, accounts: dict[Person, _Account]) -> None:
    for bucket in material.groups(narrowed(ever, action=SIGN_INS), who(), _LAST):
        if account := _of(material, accounts, material.naming(bucket)):
            last = counting.of_millis(bucket["last"]["value"])
            account.last = max(filter(None, (account.last, last)), default=None)
    for bucket in material.groups(narrowed(question, action=SIGN_INS), who()):
        if account := _of(material, accounts, material.naming(bucket)):
            account.signed_in += bucket["doc_count"]
    for bucket in material.groups(narrowed(question, action=FAILED_SIGN_INS), who()):
        if account := _of(material, accounts, material.naming(bucket)):
            account.failed += bucket["doc_count"]
    about = _about(material)
    for bucket in material.groups(about, _SUBJECT, _ABOUT):
        if account := _of(material, accounts, _subject(material, bucket)):
            account.about += bucket["doc_count"]
            account.roles += bucket["roles"]["doc_count"]
            account.deleted = account.deleted or bool(bucket["deleted"]["doc_count"])


def _about(material: Material) -> Question:
    """Ask for what was changed of accounts, by whomever."""
    return narrowed(material.base, category=("users",), action=CHANGES, type=(_USER,))


def _of(material: Material, accounts: dict[Person, _Account], naming: Naming) -> _Account | None:
    person = material.people.of(naming)
    return accounts.get(person) if person else None


def _accounts_table(
    material: Material, question: Question, ever: Question, accounts: dict[Person, _Account]
) -> Table:
    rows = []
    for person, account in accounts.items():
        mine = material.of_person(question, person)
        signed_in = material.of_person(narrowed(ever, action=SIGN_INS), person)
        about = _about(material)
        changed = None
        if not person.without and linkable("entity", person.only):
            changed = material.within_tenant(narrowed(about, entity=person.only), person.tenant)
        state = "deleted" if account.deleted else "" if account.signed_in else "no login in the period"
        rows.append(
            (
                *material.person_cells(person),
                when(account.last, material.zone, signed_in) if account.last else Cell("never seen"),
                number(account.signed_in, mine and narrowed(mine, action=SIGN_INS)),
                number(account.failed, mine and narrowed(mine, action=FAILED_SIGN_INS), bad=True),
                number(account.about, changed),
                number(account.roles, changed and narrowed(changed, action=("role_changed",))),
                Cell(state, bad=bool(state)),
            )
        )
    at = len(material.person_labels())
    return Table(
        "accounts",
        "Accounts",
        columns(
            *material.person_labels(),
            *("Last login", "#Logins", "#Failed logins", "#Changes of it", "#of its roles", "State"),
        ),
        tuple(sorted(rows, key=lambda row: (row[at].value, row[0].text.casefold()))),
        note="The longest without a login first. A last login may lie before the period.",
    )


def _roles_table(material: Material, changes: Question) -> Table:
    rows = []
    asked = narrowed(changes, type=(_ROLE,))
    fields = {"id": grouping.by("entity.id"), "number": grouping.by("entity.number")}
    ids: dict[tuple[str, str], list[Any]] = {}
    for bucket in material.groups(asked, fields, _LAST):
        key = bucket["key"]
        ids.setdefault((material.tenant_of(key), key["id"] or ""), []).append(bucket)
    for (tenant, role_id), buckets in ids.items():
        name = next((each["key"]["number"] for each in buckets if each["key"]["number"]), "") or role_id
        last = counting.of_millis(max(each["last"]["value"] for each in buckets))
        narrow = material.within_tenant(asked, tenant)
        leads = narrowed(narrow, entity=(role_id,)) if role_id and linkable("entity", (role_id,)) else None
        rows.append(
            (
                Cell(name),
                number(sum(each["doc_count"] for each in buckets), leads),
                when(last, material.zone),
            )
        )
    return Table(
        "roles",
        "Roles that were changed",
        columns("Role", "#Changes", "Last change"),
        by_count(rows, 1),
        empty="No role was changed in this period.",
    )
