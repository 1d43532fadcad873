"""Records of the demo data that the examples of the help are about, so that ``crm --offline`` runs them as they are."""

from __future__ import annotations

from collections.abc import Mapping

IDS: Mapping[str, str] = {
    "account": "account_ffbqx5bzmxqz",
    "action": "action_fair_0",
    "activity": "task_swf6hdmhdjef",
    "app": "app_clearname",
    "by": "user_ada",
    "call": "call_h4vbjazetsv5",
    "child": "account_dmno4cty557f",
    "comment": "comment_yal4inzdhymn",
    "conversation": "conv_123",
    "dashboard": "dashboard_eoirdfggqqeg",
    "deal": "deal_pbpm7wrsqiqr",
    "duplicate": "account_dmno4cty557f",
    "email": "email_uce2tjuvvbsl",
    "entity": "contact_123",
    "event": "event_mfvtdoakrt6m",
    "execution": "execution_e4al7754wprt",
    "field": "field_srjmbxcg63zn",
    "file": "file_rpmjyj3qw7rp",
    "id": "contact_123",
    "installation": "install_acme_ledgerline_invoices",
    "key": "apikey_acme_nightly_export",
    "layout": "layout_mn52oyyi4e4u",
    "meeting": "event_mfvtdoakrt6m",
    "mention": "mention_naheixo2tbzn",
    "message": "msg_123",
    "notification": "notif_123",
    "object": "subscription",
    "owner": "user_sam",
    "parent": "account_ffbqx5bzmxqz",
    "pipeline": "pipeline_acme",
    "post": "post_bsrqikz6zw3n",
    "record": "record_ps3qxaquarlt",
    "relationship": "rel_euqcsbfequjq",
    "report": "report_qtj3u6jerl5l",
    "role": "role_team_lead",
    "rule": "rule_acme_1",
    "schedule": "schedule_6o6gbj4uozyj",
    "share": "share_25tuzhe2zcot",
    "stage": "stage_acme_qualified",
    "survivor": "account_ffbqx5bzmxqz",
    "team": "team_acme_sales",
    "template": "template_edxeeicv5uuv",
    "tenant": "tenant_acme",
    "territory": "territory_europe",
    "trigger": "trigger_fair",
    "user": "user_sam",
    "webhook": "sub_arkwcqkhfecs",
    "workflow": "workflow_acme_fair",
}
"""The record that stands for each ``KIND_123`` of the OpenAPI document's examples."""

NAMES: Mapping[str, str] = {
    "account": "Innovation Inc",
    "contact": "Alice Johnson",
    "dashboard": "Lead desk",
    "report": "Large open deals",
    "workflow": "Hand over won deals",
}
"""The name that is typed in place of an id, where a command takes one."""
