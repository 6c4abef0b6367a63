"""The form of the sign-in page."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from webui.accounts.account import MAX_PASSWORD_CHARS


class SignInForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """Name and password, and the page to go to afterwards."""

    name = StringField("Name", validators=[InputRequired("Enter your name."), Length(max=64)])
    password = PasswordField(
        "Password", validators=[InputRequired("Enter your password."), Length(max=MAX_PASSWORD_CHARS)]
    )
    next = HiddenField()


def local_target(target: str | None) -> str:
    """Give a path of this site, or `/`: a sign-in must not lead anywhere else."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return "/"
    return "/" if "\\" in target or any(ord(char) < 32 for char in target) else target  # noqa: PLR2004
