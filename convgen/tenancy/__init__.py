"""Tenancy: the rows of a workspace are seen and written in that workspace's scope alone."""

from convgen.tenancy.scope import EVERY, NOTHING, Scope, current_scope, workspace_scope

__all__ = ["EVERY", "NOTHING", "Scope", "current_scope", "workspace_scope"]
