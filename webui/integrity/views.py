"""The page of the last verification."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, render_template

from webui.access import Role, needs, reader
from webui.integrity.service import Verifications

blueprint = Blueprint("integrity", __name__, template_folder="templates")


def register(app: Flask, verifications: Verifications) -> None:
    """Add the feature to an app."""
    app.extensions["audit-verifications"] = verifications
    app.register_blueprint(blueprint)


@blueprint.get("/admin/integrity")
@needs(Role.ADMIN)
def index() -> str:
    """Show what was verified last, and what was found."""
    verifications: Verifications = current_app.extensions["audit-verifications"]
    return render_template("integrity/integrity.html", found=verifications.latest(reader()))
