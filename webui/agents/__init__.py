"""The agents and their health: who ships the logs, how far behind it is, and who has fallen silent."""
