"""E-mail to a real mail server: what arrives, and what is said when it does not."""

import hashlib
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support import certificates
from tests.support.mailbox import SECRET, USER, Mailbox, keeping
from tests.webui.notification.conftest import ADDRESS, TOLD, mailing
from webui.notification.mail import MAX_ATTACHED_BYTES, Mails, compose
from webui.notification.message import Attachment
from webui.notification.settings import SmtpSettings

ANNA = "anna@warehouse.example"


def sender(mailbox: Mailbox, folder: Path, **more: object) -> Mails:
    plain = {"host": "127.0.0.1", "port": mailbox.port, "sender": "audit@wms.example", "tls": "none"}
    return Mails(SmtpSettings.model_validate({**plain, **more}), folder, ADDRESS)


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> object:
    with keeping(tmp_path_factory.mktemp("mailbox")) as running:
        yield running


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found
    text: str = found.get_content()
    return text.replace("\r\n", "\n")


class TestWhatArrives:
    def test_a_mail_says_the_same_as_text_and_as_html(self, tmp_path: Path) -> None:
        with keeping(tmp_path / "box") as box:
            channel = mailing(ANNA, "berit@warehouse.example")
            told = replace(TOLD, title="5 failed\r\nBcc: x@evil.example", text="<b>Who?</b>\n\nAt 11:58.")
            assert sender(box, tmp_path).send(channel, told).problem == ""
            [mail] = box.mails()
            assert mail["Subject"] == "5 failed Bcc: x@evil.example"
            assert mail["Bcc"] is None
            assert mail["From"] == "SmartWMS Audit <audit@wms.example>"
            assert mail["To"] == "anna@warehouse.example, berit@warehouse.example"
            assert mail["Auto-Submitted"] == "auto-generated"
            link = "https://audit.example.com/alerts/4711"
            text, page = part(mail, "plain"), part(mail, "html")
            assert text.startswith("5 failed Bcc: x@evil.example\n\n<b>Who?</b>\n\nAt 11:58.\n\n" + link)
            assert "<p>&lt;b&gt;Who?&lt;/b&gt;</p><p>At 11:58.</p>" in page
            assert f'<a href="{link}">' in page

    def test_the_same_delivery_has_the_same_message_id(self, tmp_path: Path) -> None:
        with keeping(tmp_path / "box") as box:
            mails = sender(box, tmp_path)
            for channel in (mailing(ANNA), mailing(ANNA), mailing(ANNA, channel_id="another")):
                mails.send(channel, TOLD)
            first, again, other = (mail["Message-ID"] for mail in box.mails())
            assert first == again != other
            assert first.endswith("@wms.example>")

    def test_reports_are_attached(self, tmp_path: Path) -> None:
        (tmp_path / "4711.1.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
        digest = hashlib.sha256(b"\xef\xbb\xbfa,b\r\n1,2\r\n").hexdigest()
        attached = Attachment("4711.1.csv", "failed-logins.csv", "text/csv; charset=utf-8", digest)
        with keeping(tmp_path / "box") as box:
            sender(box, tmp_path).send(mailing(ANNA), replace(TOLD, attachments=(attached,)))
            [mail] = box.mails()
            [file] = mail.iter_attachments()
            assert file.get_filename() == "failed-logins.csv"
            assert file.get_payload(decode=True) == b"\xef\xbb\xbfa,b\r\n1,2\r\n"

    @pytest.mark.parametrize("why", ["gone", "another", "too large"])
    def test_a_file_that_cannot_be_attached_is_said(self, tmp_path: Path, why: str) -> None:
        path = tmp_path / "4711.1.pdf"
        attached = Attachment(path.name, "report.pdf", "application/pdf", hashlib.sha256(b"x").hexdigest())
        if why == "another":
            path.write_bytes(b"something else by now")
        if why == "too large":
            with path.open("wb") as file:
                file.truncate(MAX_ATTACHED_BYTES + 1)
        with keeping(tmp_path / "box") as box:
            found = sender(box, tmp_path).send(mailing(ANNA), replace(TOLD, attachments=(attached,)))
            assert found.problem == ""
            [mail] = box.mails()
            assert list(mail.iter_attachments()) == []
            assert "report.pdf is not attached" in part(mail, "plain")


class TestHeaders:
    @pytest.mark.parametrize(
        "name",
        [
            "=?utf-8?q?=0d=0aBcc:_evil@example.net?=",
            "=?utf-8?b?DQpCY2M6IGV2aWxAZXhhbXBsZS5uZXQ=?=",
            "==??utf-8?q?=0d=0aBcc:_evil@example.net?==??=",
            "=\t?utf-8?q?=0d=0aBcc:_evil@example.net?=",
            "=?utf-8?q?=0d=0aContent-Type:_text/html=0d=0a=0d=0a<h1>Call_0900?=",
            "Zoë" * 30 + "=?utf-8?q?=0d=0aBcc:_evil@example.net?=",
        ],
        ids=["a header", "in base64", "doubled", "with a tab", "a body", "in a long title"],
    )
    @pytest.mark.parametrize("where", ["title", "recipient", "sender"])
    def test_are_ours_alone_whatever_somebody_is_called(self, name: str, where: str) -> None:
        told = replace(TOLD, title=f"5 failed logins as {name}" if where == "title" else "5 failed logins")
        to = f"{name}@example.com" if where == "recipient" else ANNA
        by = f"{name}@example.com" if where == "sender" else "audit@example.com"
        sent = compose(mailing(to), told, by, ADDRESS, {}).as_bytes()
        head = sent.partition(b"\n\n")[0]
        names = [line.partition(b":")[0] for line in head.split(b"\n") if line[:1] not in {b" ", b"\t"}]
        assert names == [
            b"Subject",
            b"From",
            b"To",
            b"Date",
            b"Message-ID",
            b"Auto-Submitted",
            b"MIME-Version",
            b"Content-Type",
        ]

    def test_the_title_is_still_to_be_recognised(self) -> None:
        told = replace(TOLD, title="5 failed logins as =?utf-8?q?x?=")
        mail = compose(mailing(ANNA), told, "audit@example.com", ADDRESS, {})
        assert mail["Subject"] == "5 failed logins as = ?utf-8?q?x?="


class TestEncryption:
    @pytest.mark.parametrize(("tls", "options"), [("starttls", []), ("tls", ["--tls"])])
    def test_it_is_encrypted_before_the_password_is_said(
        self, tmp_path: Path, tls: str, options: list[str]
    ) -> None:
        ca_file, cert = certificates.make(tmp_path, "127.0.0.1")
        password = tmp_path / "password"
        password.write_text(SECRET + "\n", "utf-8")
        own = {"tls": tls, "ca_file": ca_file, "username": USER, "password_file": password}
        with keeping(tmp_path / "box", "--auth", *options, cert=cert) as box:
            assert sender(box, tmp_path, **own).send(mailing(ANNA), TOLD).problem == ""
            password.write_text("wrong", "utf-8")
            refused = sender(box, tmp_path, **own).send(mailing(ANNA), TOLD)
            assert refused.problem == "The mail server answered 535."
            stranger = sender(box, tmp_path, **{**own, "ca_file": None}).send(mailing(ANNA), TOLD)
            assert "certificate of the mail server is not valid" in stranger.problem
            assert len(box.mails()) == 1

    def test_a_server_without_encryption_is_told_nothing(self, mailbox: Mailbox, tmp_path: Path) -> None:
        found = sender(mailbox, tmp_path, tls="starttls").send(mailing(ANNA), TOLD)
        assert found.problem.startswith("The mail server was not reached, or hung up")
        assert mailbox.mails() == []


class TestRefusals:
    def test_a_recipient_that_is_refused_keeps_no_other_from_it(self, tmp_path: Path) -> None:
        with keeping(tmp_path / "box") as box:
            found = sender(box, tmp_path).send(mailing(ANNA, "nobody@warehouse.example"), TOLD)
            assert (found.status, found.problem) == (250, "")
            assert found.answer.startswith("Refused for nobody@warehouse.example 550")
            assert len(box.mails()) == 1

    def test_nobody_left_is_a_failure(self, mailbox: Mailbox, tmp_path: Path) -> None:
        found = sender(mailbox, tmp_path).send(mailing("nobody@warehouse.example"), TOLD)
        assert (found.status, found.problem) == (550, "The mail server refused every recipient.")
        assert "no such mailbox" in found.answer

    def test_no_server_is_said(self, tmp_path: Path) -> None:
        with keeping(tmp_path / "box") as box:
            mails = sender(box, tmp_path)
        assert mails.send(mailing(ANNA), TOLD).problem.startswith("The mail server was not reached")
        unset = Mails(SmtpSettings(), tmp_path, ADDRESS).send(mailing(ANNA), TOLD)
        assert "AUDIT_SMTP_HOST" in unset.problem
