"""What people do with channels: add, change, switch, test, and look at what was sent through them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from indexer.documents import Stored
from indexer.errors import ConflictError
from webui.notification.channel import EVERY_TENANT, Channel, Kind, Off
from webui.notification.channels import Channels, new_id
from webui.notification.deliveries import Deliveries
from webui.notification.delivery import Delivery, State
from webui.notification.guard import ForbiddenError, Guard
from webui.notification.message import TEST_TYPE, Message
from webui.notification.secret import fingerprint, secret
from webui.notification.webhook import UrlError, checked_url
from webui.tenancy import EVERYWHERE, NotHereError, Reader, Tenancy, TenantFacts

MAX_NAME_CHARS: Final = 80
MAX_RECIPIENTS_COUNT: Final = 20
MAX_CHANNELS_COUNT: Final = 20
"""Of one tenant."""
_RECIPIENT: Final = re.compile(
    # Without `=?`, as which an encoded word begins.
    r"(?!.*=\?)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z0-9-]{2,63}"
)


class ChannelFormError(ValueError):
    """What was typed cannot be saved; `problems` has a sentence for each field at fault."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep the problems by field; "" is about no field."""
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """A channel as typed."""

    kind: str = Kind.WEBHOOK
    name: str = ""
    url: str = ""
    recipients: str = ""


@dataclass(frozen=True, slots=True)
class ChannelShown:
    """A channel, what of it is still to be sent, and its newest deliveries."""

    channel: Channel
    waiting_count: int
    deliveries: tuple[Delivery, ...]

    @property
    def under_way_count(self) -> int:
        """How many deliveries end within seconds, as far as it can be told."""
        return sum(
            each.state is State.SENDING
            or (
                (each.state is State.WAITING and not each.attempts)
                and (self.channel.on or each.message.type == TEST_TYPE)
            )
            for each in self.deliveries
        )

    @property
    def last(self) -> Delivery | None:
        """The delivery that was tried last."""
        return max((each for each in self.deliveries if each.attempts), key=_tried, default=None)


class Notifications:
    """The channels that a reader may administer: an admin's own tenant's, an operator's of any tenant."""

    def __init__(
        self,
        channels: Channels,
        deliveries: Deliveries,
        tenancy: Tenancy,
        guard: Guard,
        key: bytes,
        now: Callable[[], datetime],
        *,
        has_mail: bool,
    ) -> None:
        """`key`: the installation's; `has_mail`: whether it has a mail server; `now`: an aware time."""
        self._channels = channels
        self._deliveries = deliveries
        self._tenancy = tenancy
        self._guard = guard
        self._key = key
        self._now = now
        self.has_mail: Final = has_mail

    def prepare(self) -> None:
        """Make the indices if they are not there."""
        self._channels.prepare()
        self._deliveries.prepare()

    def place(self, reader: Reader, tenant: str = "") -> TenantFacts:
        """Give the tenant whose channels a page shows; operators without one have their own channels."""
        return self._tenancy.place(reader, tenant)

    def tenants(self, reader: Reader) -> list[TenantFacts]:
        """Give those an operator may choose from."""
        return self._tenancy.all() if reader.scope.tenant_id is None else []

    def all(self, place: TenantFacts) -> list[ChannelShown]:
        """Give the channels of a place by name."""
        return [self._shown(channel) for channel in self._channels.of(_owner(place))]

    def one(self, reader: Reader, channel_id: str) -> ChannelShown:
        """Give one channel; NotHereError when there is none for this reader."""
        return self._shown(self._held(reader, channel_id)[0])

    def facts(self, channel: Channel) -> TenantFacts:
        """Give the tenant of a channel."""
        return EVERYWHERE if channel.tenant == EVERY_TENANT else self._tenancy.facts(channel.tenant)

    def add(self, place: TenantFacts, form: ChannelForm) -> tuple[Channel, str]:
        """Make a channel; with the secret of a webhook, which nobody is shown again."""
        if form.kind not in set(Kind):
            raise ChannelFormError({"": "Choose webhook or e-mail."})
        if len(self._channels.of(_owner(place))) >= MAX_CHANNELS_COUNT:
            raise ChannelFormError({"": f"There are {MAX_CHANNELS_COUNT} channels; delete one first."})
        fresh = Channel(id=new_id(), tenant=_owner(place), name="", kind=Kind(form.kind), created=self._now())
        made, text = self._with_secret(self._filled(fresh, form))
        self._channels.add(made)
        return made, text

    def change(self, reader: Reader, channel_id: str, form: ChannelForm) -> Channel:
        """Change name and target."""
        channel, stored = self._held(reader, channel_id)
        return self._replaced(stored, self._filled(channel, form))

    def switch(self, reader: Reader, channel_id: str, *, on: bool) -> Channel:
        """Switch a channel on or off; on, what waits for one that failed is sent."""
        channel, stored = self._held(reader, channel_id)
        off = None if on else Off.PERSON
        why = "" if on else f"{reader.account} switched it off."
        since = None if on else self._now()
        return self._replaced(stored, replace(channel, off=off, off_since=since, off_why=why))

    def renew_secret(self, reader: Reader, channel_id: str) -> tuple[Channel, str]:
        """Give a webhook a new secret, shown this once; the old one signs nothing any more."""
        channel, stored = self._held(reader, channel_id)
        if channel.kind is not Kind.WEBHOOK:
            raise NotHereError
        made, text = self._with_secret(replace(channel, secret_number=channel.secret_number + 1))
        return self._replaced(stored, made), text

    def test(self, reader: Reader, channel_id: str) -> bool:
        """Have a test sent; False when one is under way already."""
        channel, _ = self._held(reader, channel_id)
        if any(_is_open_test(each) for each in self._deliveries.of(channel.id)):
            return False
        message = Message(
            id=f"test:{secrets.token_hex(8)}",
            type=TEST_TYPE,
            tenant=channel.tenant,
            timestamp=self._now(),
            title="A test of SmartWMS Audit",
            text=f"{reader.account} tested the channel “{channel.name}”. Nothing has happened.",
            link=f"/notifications/{channel.id}",
            data={"channel": channel.id},
        )
        self._deliveries.enqueue(message, [channel.id], self._now())
        return True

    def delete(self, reader: Reader, channel_id: str) -> Channel:
        """Delete a channel; what waits for it is dropped."""
        channel, stored = self._held(reader, channel_id)
        try:
            self._channels.delete(stored)
        except ConflictError as error:
            raise _changed() from error
        return channel

    def _held(self, reader: Reader, channel_id: str) -> tuple[Channel, Stored]:
        found = self._channels.get(channel_id)
        # An admin's tenant is the channel's, or the channel is not there; an operator has all.
        if found is None or reader.scope.tenant_id not in {None, found[0].tenant}:
            raise NotHereError
        return found

    def _shown(self, channel: Channel) -> ChannelShown:
        newest = tuple(self._deliveries.of(channel.id))
        return ChannelShown(channel, self._deliveries.waiting(channel.id), newest)

    def _replaced(self, stored: Stored, channel: Channel) -> Channel:
        try:
            return self._channels.replace(stored, channel)
        except ConflictError as error:
            raise _changed() from error

    def _with_secret(self, channel: Channel) -> tuple[Channel, str]:
        if channel.kind is not Kind.WEBHOOK:
            return channel, ""
        text = secret(self._key, channel.id, channel.secret_number)
        return replace(channel, secret_print=fingerprint(text)), text

    def _filled(self, channel: Channel, form: ChannelForm) -> Channel:
        problems = {}
        name = " ".join(form.name.split())
        if not 1 <= len(name) <= MAX_NAME_CHARS:
            problems["name"] = f"A name has 1 to {MAX_NAME_CHARS} characters."
        url, recipients = "", tuple(dict.fromkeys(re.split(r"[\s,;]+", form.recipients.strip())))
        if channel.kind is Kind.WEBHOOK:
            recipients = ()
            try:
                url = checked_url(form.url.strip())
                self._guard.check_url(url)
            except (UrlError, ForbiddenError) as error:
                problems["url"] = str(error)
        elif wrong := [each for each in recipients if not _RECIPIENT.fullmatch(each)]:
            problems["recipients"] = f"“{wrong[0]}” is no address such as security@example.com."
        elif len(recipients) > MAX_RECIPIENTS_COUNT:
            problems["recipients"] = f"There can be {MAX_RECIPIENTS_COUNT} recipients; use a mailing list."
        if problems:
            raise ChannelFormError(problems)
        return replace(channel, name=name, url=url, recipients=recipients)


def form_of(channel: Channel) -> ChannelForm:
    """Give the form as it stands for a channel."""
    return ChannelForm(channel.kind, channel.name, channel.url, ", ".join(channel.recipients))


def _owner(place: TenantFacts) -> str:
    return place.id or EVERY_TENANT


def _is_open_test(delivery: Delivery) -> bool:
    return delivery.message.type == TEST_TYPE and delivery.state in {State.WAITING, State.SENDING}


def _tried(delivery: Delivery) -> datetime:
    return delivery.attempts[-1].at


def _changed() -> ChannelFormError:
    return ChannelFormError({"": "Somebody else changed it at the same moment. Look again."})
