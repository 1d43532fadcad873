"""The rules of notifications: the inbox, templates, sending by five channels, preferences and figures."""

from .inbox import addressee as addressee
from .inbox import notify as notify
