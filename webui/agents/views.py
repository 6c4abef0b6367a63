"""The page about the agents."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, render_template

from webui.access import Role, needs, reader
from webui.agents.page import shown, summary
from webui.agents.service import Agents
from webui.tenancy import UTC_ZONE

blueprint = Blueprint("agents_admin", __name__, template_folder="templates")


def register(app: Flask, agents: Agents) -> None:
    """Add the feature to an app."""
    app.extensions["audit-agents"] = agents
    app.register_blueprint(blueprint)


@blueprint.get("/admin/agents")
@needs(Role.OPERATOR)
def index() -> str:
    """Show each agent and how it is."""
    agents: Agents = current_app.extensions["audit-agents"]
    fleet = agents.all(reader())
    return render_template(
        "agents/agents.html", fleet=fleet, agents=shown(fleet, UTC_ZONE), summary=summary(fleet)
    )
