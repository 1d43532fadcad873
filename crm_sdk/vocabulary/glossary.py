"""The descriptions of members and arguments that many records and calls share, each written once.

A name with another meaning in one place is described there: by the docstring under the member, or in the declaration
(``texts={"reason": "…"}``).
"""

from __future__ import annotations

from collections.abc import Mapping


def _read(lines: str) -> Mapping[str, str]:
    pairs = (line.partition(": ") for line in lines.splitlines() if line)
    return {name: text for names, _, text in pairs for name in names.split()}


GLOSSARY: Mapping[str, str] = _read("""
id: The record's id.
created_at: When it was created.
updated_at: When it was last changed.
created_by: Who created it: the id of a user, of an API key or of an app, or `system`.
version: The version, raised by one with every change. Sent with a change, it must be the present one.
external_id: Your own id of the record, unique in the company.
custom_fields: Values of custom fields, which the company defines, by name.
owner_id: Id of the user who owns the record.
team_id: Id of the team that the record belongs to.
territory_id: Id of the sales territory.
tenant_id: Id of the company.
account_id: Id of the account, which is the company.
parent_id: Id of the parent account.
user_id: Id of the user.

limit: The number of records on a page: 1 to 200.
offset: The number of records before the page.
page: The number of the page, from 1.
sort: The member to sort by.
order: The sort direction: ascending (asc) or descending (desc).
search: Words to search for in the text members.
q: Words to search for.
filter_groups: Groups of conditions; a record matches when all conditions of one group hold.
filters: Conditions that must all hold.
fields: Names of the members to include.
include: Nested lists to fill.
view: Id of a layout, through which the list is seen: its conditions, order and columns apply where the call has none.
created_after: Only those created at this time or later.
created_before: Only those created before this time.
updated_after: Only those changed at this time or later.
updated_before: Only those changed before this time.
since: Only those at this time or later.
until: Only those before this time.
start_date: The first day of the range.
end_date: The last day of the range.
date_range: The days that the figures are of.
groups: What the records are grouped by.
measures: What is computed of the records of each group.
chart: How the figures are drawn.
folder: The folder it is in.
period: The period over which figures are summed up.
atomic: If one item fails, nothing is changed.
dry_run: Return what would be done, without doing it.
overwrite: Replace existing values, rather than fill in empty members only.

api_name: Its name in paths, keys and conditions; it cannot be changed.
plural_label: What several of them are called.
inverse_label: What the same links are called from the other side.
help_text: What users are told about it.
required: Whether every record must have a value.
unique: Whether no two live records of the object may have the same value, without regard to case.
default: The value of a record that is created without one, and of those that are there when the field is made.
options: The options of a select field, by position.
precision: How many decimals a decimal or an amount may have, 0 to 8; without it an amount has those of its currency.
pattern: A regular expression that the whole value has to match.
reference_to: What a reference refers to: an entity type, or a custom object by its API name.
on_delete: What happens to a record when what it links is deleted: it is an obstacle, loses the link, or is deleted too.
searchable: Whether `search` looks in it.
icon: The name of its icon.
color: Its color.

name: The name.
first_name: First name.
last_name: Last name.
salutation: The salutation: Ms, Dr.
email: E-mail address.
secondary_emails: Further e-mail addresses.
phone: Telephone number.
mobile: Mobile telephone number.
company: Name of the company.
department: Department of the company.
title: The title.
website: URL of the website.
url: The URL.
industry: Industry.
domain: Domain of the company's e-mail addresses and website.
employees: Number of employees.
annual_revenue: Annual revenue of the company.
tax_id: Tax number.
logo: URL of the logo.
avatar: URL of the picture.
address: Postal address.
billing_address: Postal address for invoices.
shipping_address: Postal address for deliveries.
street: Street and number.
street2: Second address line.
city: City.
state: State, province or region.
postal_code: Postal code.
country: Country code of two letters (ISO 3166-1).
birthday: Date of birth.
language: Preferred language, as a tag such as `de` (BCP 47).
timezone: Time zone, as an IANA name such as `Europe/Berlin`.
locale: Language and region, such as `de-DE`.
social_profiles: Profiles on social networks.
network: The social network.
handle: The user name on the social network.
tags: Labels.
tag: A label.
notes: Notes.
description: The description.
summary: A summary.
message: The text of the message.
subject: The subject line.
content: The text.
text: The text.
body: The text.
body_text: The text as plain text.
body_html: The text as HTML.
label: The label.
reason: The reason.
reasons: The reasons.
location: The place.
do_not_contact: Whether the person must not be contacted at all.
email_opt_out: Whether the person refuses e-mails.
sms_opt_out: Whether the person refuses text messages.
timestamp: The time.
date: The date.
read: Whether it was read.
archived: Whether it is archived.
active: Whether it is active.
pinned: Whether it is pinned to the top.

type: The type.
kind: The kind.
status: The status.
source: The source.
source_detail: The form, campaign or post that is the source.
campaign: The campaign that is the source.
utm: The UTM parameters of the page the person came from.
priority: The priority.
rating: The rating.
score: The score, 0 to 100.
confidence: The confidence, 0 to 100.
lifecycle_stage: The lifecycle stage.
relationship_health: The health of the relationship.
sentiment: The sentiment.
category: The category.
direction: Inbound or outbound.
role: The role.
stage: The stage of the pipeline.
stage_id: Id of the stage of the pipeline.
value: The amount.
values: The values.
currency: Currency code of three letters (ISO 4217).
probability_override: A probability set by hand, 0 to 100.
expected_close_date: The day on which the deal is expected to close.
forecast_category: The forecast category.
next_step: The next step.
next_steps: The next steps.
next_follow_up: When the next follow-up is due.
last_contact: The time of the last contact.
last_activity: The time of the last activity.
last_activity_at: The time of the last activity.
lost_reason: Why the deal was lost.
lost_notes: More about why the deal was lost.
won_reason: Why the deal was won.
positive_signals: Signals in favour of winning the deal.
risk_factors: The risks.
competitor_mentioned: The competitor that was mentioned.
contact_roles: The contacts that take part in the deal, with their roles.
is_primary: Whether it is the primary one.
budget: The budget.
authority: Whether the person may decide on the purchase.
need: The need.
timeline: When the person wants to begin.
qualified: Whether it is qualified.
contact_company: Name of the contact's company.
attendees: The attendees.
start_time: When it begins.
end_time: When it ends.
due_at: When it is due.
duration: The duration in minutes.
reminders: When and by which channel a reminder is sent.
channel: The channel: e-mail, SMS and others.
outcome: The outcome.
meeting_link: URL of the video meeting.
recording_url: URL of the recording.
ai_analysis: The AI's analysis.
ai_insights: The AI's insights.
suggested_action: The action that the AI suggests.
actionable: Whether there is something to do about it.
activities: The activities.
items: The items, in the order of the request.
total: The total number.
succeeded: The number of items that succeeded.
failed: The number of items that failed.
result: The result.
error: The error.
errors: The errors, one by one.
code: The error code.
field: Path of the member, such as `address.city`.
rule: The rule that was broken.
details: Further values of the error, by name.
config: Settings; free-form.
context: Further context; free-form.
metadata: Further values; free-form.
started_at: When it began.
finished_at: When it ended.
sent_at: When it was sent.
received_at: When it was received.
expires_at: When it expires.
expires_in: In how many seconds it expires.
password: The password.
access_token: The token that authorises a call.
refresh_token: The token that is exchanged for new tokens; it can be used once.
token_type: The type of the token: `Bearer`.
scope: The scope of the token.
id_token: The user who signed in, as a signed token (OpenID Connect).
api_key: The API key.
progress: The progress.
before: The value before.
after: The value after.
changes: The changes.
count: The number.
total_value: The sum of the values.
won_value: The sum of the values of won deals.
lost_value: The sum of the values of lost deals.
open_value: The sum of the values of open deals.
win_rate: The share of won deals among won and lost ones, 0 to 1.
won: The number of won deals.
lost: The number of lost deals.
entered: The number of deals that entered.
weighted_value: The value, or the sum of the values, times the probability.
survivor_id: Id of the record that survives the merge.
merged_ids: Ids of records that were merged into this one.
sender: Who sent it.
file: The file.
format: The format of the file.
op: The comparison operator.
high_value: The upper bound of `between`.
conditions: Groups of conditions; all conditions of one group must hold.
position: The position in the order, from 0.
enabled: Whether it is enabled.
include_children: Include the accounts below it.
move_deals_to: Where the deals in it are moved to.
assigned_at: When it was assigned.
ids: The ids of the records.
filter: A predefined selection.
match_on: The member by which two records are recognised as the same.
draft_content: The draft.
communication_history: The communication so far, oldest first.
conversation_history: The conversation so far, oldest first.
entity_type: The kind of record.
events: The names of the events.
""")
"""The description of each name."""

_SHORT: Mapping[str, str] = {"ai": "AI", "id": "id", "url": "URL", "utm": "UTM", "mfa": "second factor"}


def words_of(name: str) -> str:
    """Return a name as words: ``forecast_category`` is a forecast category."""
    return " ".join(_SHORT.get(word, word) for word in name.split("_"))
