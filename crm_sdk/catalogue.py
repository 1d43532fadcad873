"""Every resource of the CRM, listed once for both clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic

from .operation import Operation
from .resource import Mode, noun, operation_of, parts

# isort: off
# Written by `make docs`: begin
if TYPE_CHECKING:
    from .resources.accounts import Accounts
    from .resources.achievements import Achievements
    from .resources.activities import Activities
    from .resources.agents import Agents
    from .resources.ai import Ai
    from .resources.ai_insights import AiInsights
    from .resources.analytics import Analytics
    from .resources.audit import Audit
    from .resources.auth import Auth
    from .resources.backups import Backups
    from .resources.calendar import Calendar
    from .resources.changes import Changes
    from .resources.channels import Channels
    from .resources.chatops import Chatops
    from .resources.collaboration import Collaboration
    from .resources.communication import Communication
    from .resources.configuration import Configuration
    from .resources.contacts import Contacts
    from .resources.conversations import Conversations
    from .resources.custom_objects import CustomObjects
    from .resources.customization import Customization
    from .resources.dashboard import Dashboard
    from .resources.dashboards import Dashboards
    from .resources.deals import Deals
    from .resources.events import Events
    from .resources.exports import Exports
    from .resources.files import Files
    from .resources.imports import Imports
    from .resources.integrations import Integrations
    from .resources.jobs import Jobs
    from .resources.leads import Leads
    from .resources.marketplace import Marketplace
    from .resources.messages import Messages
    from .resources.monitoring import Monitoring
    from .resources.notifications import Notifications
    from .resources.objects import Objects
    from .resources.pipelines import Pipelines
    from .resources.presence import Presence
    from .resources.privacy import Privacy
    from .resources.reports import Reports
    from .resources.search import Search
    from .resources.security import Security
    from .resources.social import Social
    from .resources.tenants import Tenants
    from .resources.users import Users
    from .resources.webhooks import Webhooks
    from .resources.workflows import Workflows
# Written by `make docs`: end
# isort: on


class Catalogue(Generic[Mode]):
    """Every resource of the CRM. A resource is imported when it is first used."""

    # Written by `make docs`: begin
    accounts: Accounts[Mode] = noun()
    achievements: Achievements[Mode] = noun()
    activities: Activities[Mode] = noun()
    agents: Agents[Mode] = noun()
    ai: Ai[Mode] = noun()
    ai_insights: AiInsights[Mode] = noun()
    analytics: Analytics[Mode] = noun()
    audit: Audit[Mode] = noun()
    auth: Auth[Mode] = noun()
    backups: Backups[Mode] = noun()
    calendar: Calendar[Mode] = noun()
    changes: Changes[Mode] = noun()
    channels: Channels[Mode] = noun()
    chatops: Chatops[Mode] = noun()
    collaboration: Collaboration[Mode] = noun()
    communication: Communication[Mode] = noun()
    configuration: Configuration[Mode] = noun()
    contacts: Contacts[Mode] = noun()
    conversations: Conversations[Mode] = noun()
    custom_objects: CustomObjects[Mode] = noun()
    customization: Customization[Mode] = noun()
    dashboard: Dashboard[Mode] = noun()
    dashboards: Dashboards[Mode] = noun()
    deals: Deals[Mode] = noun()
    events: Events[Mode] = noun()
    exports: Exports[Mode] = noun()
    files: Files[Mode] = noun()
    imports: Imports[Mode] = noun()
    integrations: Integrations[Mode] = noun()
    jobs: Jobs[Mode] = noun()
    leads: Leads[Mode] = noun()
    marketplace: Marketplace[Mode] = noun()
    messages: Messages[Mode] = noun()
    monitoring: Monitoring[Mode] = noun()
    notifications: Notifications[Mode] = noun()
    objects: Objects[Mode] = noun()
    pipelines: Pipelines[Mode] = noun()
    presence: Presence[Mode] = noun()
    privacy: Privacy[Mode] = noun()
    reports: Reports[Mode] = noun()
    search: Search[Mode] = noun()
    security: Security[Mode] = noun()
    social: Social[Mode] = noun()
    tenants: Tenants[Mode] = noun()
    users: Users[Mode] = noun()
    webhooks: Webhooks[Mode] = noun()
    workflows: Workflows[Mode] = noun()
    # Written by `make docs`: end


def declared_operations(owner: type[Any] = Catalogue) -> Iterator[Operation[..., Any]]:
    """Iterate over every operation of the catalogue, aliases left out."""
    for kind in parts(owner).values():
        for name, value in vars(kind).items():
            operation = operation_of(value)
            if operation is not None and operation.name == name:
                yield operation
        yield from declared_operations(kind)
