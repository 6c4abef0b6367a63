"""What can go wrong in the agent, each with the exit code of the command that meets it."""

from __future__ import annotations


class AgentError(Exception):
    """The root: the message names the file or setting, the value and the way out."""

    exit_code = 2


class SettingsError(AgentError):
    """A setting that cannot be used: nothing was started."""


class StateError(AgentError):
    """The state directory cannot be used: held by another agent, or not writable."""


class StoreUnreachableError(AgentError):
    """OpenSearch gave no usable answer within the time-out: nothing is lost, the next run goes on."""

    exit_code = 3
