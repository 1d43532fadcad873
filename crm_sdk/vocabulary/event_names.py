"""The names of all events, by what they are about: an audit action, a webhook and a trigger have the same name."""

from __future__ import annotations

from typing import Final

_WORDS = """
account: created deleted enriched hierarchy_changed merged restored territory_changed updated
activity: completed created deleted rescheduled restored updated
agent: completed status
api_key: created revoked rotated
app: configured installed published rejected submitted uninstalled updated version_submitted
auth: backup_codes_regenerated login login_failed logout mfa_disabled mfa_enabled password_changed
 password_reset_requested session_ended token_issued token_refreshed token_reuse_detected token_revoked
automation: created deleted updated
backup: completed deleted failed restored
calendar: feed_created feed_deleted synced
call: completed deleted logged started updated
chatops: message plan_executed
collaboration: share_updated shared unshared
comment: created deleted restored updated
configuration: settings_updated
contact: created deleted enriched health_changed import_completed merged relationship_created relationship_deleted
 relationship_updated restored updated
conversation: unread_count updated
custom_object: created deleted field_created field_deleted field_updated relationship_created relationship_deleted
 relationship_updated updated
dashboard: created deleted refreshed restored updated
data: exported import_reverted imported purged
deal: activity_added created deleted lost reopened restored stage_changed updated won
email: bounced clicked deleted logged opened received sent updated
event: created deleted reminder responded updated
export: schedule_updated scheduled unscheduled
field: created deleted updated
file: copied deleted downloaded infected moved permissions_changed processed restored scanned shared updated uploaded
 version_created
flag: created deleted updated
integration: connected created deleted error mapping_created mapping_deleted mapping_updated sync_completed sync_paused
 sync_resumed sync_started updated
job: cancelled completed failed
layout: created deleted updated
lead: assigned captured converted created deleted disqualified enriched qualified restored scored updated
meeting: cancelled joined scheduled updated
message: received sent
metrics: update
model: config_updated trained
note: created deleted updated
notification: created deleted delivered failed preferences_updated read sent unsubscribed
pipeline: created deleted restored stage_created stage_deleted stage_updated stages_reordered updated
prediction: completed
privacy: erased exported
recommendation: feedback
record: created deleted restored updated
report: created deleted exported restored run_completed scheduled unscheduled updated
retention: updated
role: created deleted updated
search: config_updated reindexed
security: policy_updated
social: account_connected account_disconnected alert_created alert_triggered engagement_tracked keyword_added
 post_failed post_published responded
task: created deleted updated
team: created deleted member_added member_removed updated
template: created deleted restored updated
tenant: billing_updated config_updated created deleted features_updated limits_updated plan_changed provisioned updated
territory: created deleted updated
user: activated avatar_changed created deactivated deleted email_verified invited mentioned preferences_updated
 profile_updated registered role_assigned role_removed updated
webhook: created deleted disabled secret_rotated test updated
workflow: activated created deactivated deleted execution_completed execution_failed execution_started restored updated
"""

EVENT_NAMES: Final = frozenset(
    f"{about}.{word}"
    for about, _, words in (line.partition(":") for line in _WORDS.replace("\n ", " ").strip().splitlines())
    for word in words.split()
)
"""Every name, such as ``deal.won``."""
