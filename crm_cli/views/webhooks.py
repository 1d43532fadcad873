"""The commands of ``crm webhooks`` that are made by hand."""

from .webhook_development import listen as listen
from .webhook_development import replay as replay
from .webhook_development import trigger as trigger
