"""The forms of the sign-in page and of one's own account."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from webui.accounts.account import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS


class SignInForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """Name and password, and the page to go to afterwards."""

    name = StringField("Name", validators=[InputRequired("Enter your name."), Length(max=64)])
    password = PasswordField(
        "Password", validators=[InputRequired("Enter your password."), Length(max=MAX_PASSWORD_CHARS)]
    )
    next = HiddenField()


class PasswordForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """One's password, and the one that takes its place."""

    old = PasswordField(
        "Your password", validators=[InputRequired("Enter your password."), Length(max=MAX_PASSWORD_CHARS)]
    )
    new = PasswordField(
        f"The new one, {MIN_PASSWORD_CHARS} characters at least",
        validators=[
            InputRequired("Enter a new password."),
            Length(
                MIN_PASSWORD_CHARS,
                MAX_PASSWORD_CHARS,
                f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS:,} characters.",
            ),
        ],
    )
    again = PasswordField("The new one again", validators=[EqualTo("new", "That is another one.")])


def local_target(target: str | None) -> str:
    """Give a path of this site, or `/`: a sign-in must not lead anywhere else."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return "/"
    return "/" if "\\" in target or any(ord(char) < 32 for char in target) else target  # noqa: PLR2004
