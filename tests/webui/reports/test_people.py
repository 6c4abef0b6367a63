"""Who is who: each event is one person's, and the person's question finds exactly these events."""

from hypothesis import given
from hypothesis import strategies as st

from webui.matching import folded, linkable
from webui.question import Question
from webui.reports.people import Naming, People

TENANT = "t"


def named(user_id: str = "", name: str = "", email: str = "") -> Naming:
    return Naming(TENANT, user_id, name, email)


def labels(*namings: Naming) -> dict[Naming, str]:
    people = People(namings)
    found = {}
    for naming in namings:
        person = people.of(naming)
        found[naming] = " ".join(person.only) if person else ""
    return found


def test_an_event_without_an_id_is_counted_for_the_account_that_bears_the_email() -> None:
    account, claim = named("1", "Anna", "anna@x"), named(email="ANNA@x")
    people = People([account, claim])
    assert people.of(account) == people.of(claim)
    assert [person.only for person in people] == [("1", "ANNA@x", "Anna")]


def test_two_accounts_of_the_same_name_are_two_people() -> None:
    one, other, claim = named("1", "Anna"), named("2", "Anna"), named(name="anna")
    assert labels(one, other, claim) == {one: "1", other: "2", claim: "anna"}
    person = People([one, other, claim]).of(claim)
    assert person
    assert (person.without, person.accounts_count) == (("1", "2"), 0)


def test_nobody_is_nobody() -> None:
    assert People([named()]).of(named()) is None


def test_tenants_are_apart() -> None:
    people = People([Naming("a", "", "Anna", ""), Naming("b", "", "Anna", "")])
    assert {person.tenant for person in people} == {"a", "b"}


texts = st.sampled_from(["", "1", "2", "Anna", "anna", "ÅSA", "åsa", "a@x", "b@x"])
namings = st.builds(named, st.sampled_from(["", "1", "2", "3"]), texts, texts)


def matches(question: Question, naming: Naming) -> bool:
    """What `user=` and `not_user=` of the Activity Log mean."""
    choice = question.choice("user")
    said = {folded(text) for text in naming.texts}
    return bool(said & set(map(folded, choice.only))) and not said & set(map(folded, choice.without))


@given(st.lists(namings, max_size=8))
def test_a_persons_question_finds_exactly_the_events_that_were_counted(known: list[Naming]) -> None:
    # A name that is another account's id is the one thing that cannot be told apart.
    known = [each for each in known if not {folded(each.name), folded(each.email)} & {"1", "2"}]
    people = People(known)
    for person in people:
        question = person.asked(Question())
        assert question
        counted = [each for each in known if people.of(each) == person]
        assert counted == [each for each in known if matches(question, each)]


def test_what_an_address_cannot_ask_for_leads_nowhere() -> None:
    for values in (("a*",), (" a",), ("-",), ("x" * 257,), tuple(map(str, range(51)))):
        assert not linkable("user", values)
    assert linkable("user", ("Åsa", "o'brien"))
    assert not linkable("address", ("10.0.0.300",))
