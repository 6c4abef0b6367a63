"""From a failed login to the mail, by a real mail server."""

import threading
from pathlib import Path

from tests.support.alerting import Watched, failed
from tests.support.events import TEST
from tests.support.mailbox import keeping
from tests.support.web import KEY
from webui.notification.assembly import make_channels, make_courier, make_senders
from webui.notification.channel import Channel, Kind
from webui.notification.settings import SmtpSettings, WebhookSettings
from webui.settings import WebSettings

NAME = "=?utf-8?q?=0d=0aBcc:_evil@example.net=0d=0aReply-To:_evil@example.net?="


def test_a_name_that_was_tried_at_the_sign_in_writes_no_header(watch: Watched, tmp_path: Path) -> None:
    channels = make_channels(watch.client, watch.store.prefix)
    channels.prepare()
    mail = Channel(
        id="mail", tenant=TEST, name="m", kind=Kind.EMAIL, recipients=("a@example.com",), created=watch.now
    )
    channels.add(mail)
    watch.monitor(c_group="user", channels=("mail",))
    watch.look()
    watch.happen(*[failed(user=NAME)] * 5)
    assert len(watch.look()) == 1
    with keeping(tmp_path / "mails") as mailbox:
        smtp = SmtpSettings(host="127.0.0.1", port=mailbox.port, sender="audit@wms.example", tls="none")
        senders = make_senders(WebSettings(export_dir=tmp_path), WebhookSettings(), smtp, KEY)
        courier = make_courier(watch.client, watch.store.prefix, senders, threading.Event(), now=watch.clock)
        while courier.work():
            pass
        (received,) = mailbox.mails()
    assert "= ?utf-8?q?=0d=0aBcc:_evil@example.net" in received["Subject"]
    assert received["Reply-To"] is None
    assert received["Bcc"] is None
