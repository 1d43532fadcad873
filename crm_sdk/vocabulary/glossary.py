"""What names mean that many records and calls have, so that it is said once.

A name that means something else in one place is explained there: by the docstring under the member, or in the
declaration (``texts={"reason": "…"}``).
"""

from __future__ import annotations

from collections.abc import Mapping


def _read(lines: str) -> Mapping[str, str]:
    pairs = (line.partition(": ") for line in lines.splitlines() if line)
    return {name: text for names, _, text in pairs for name in names.split()}


GLOSSARY: Mapping[str, str] = _read("""
id: The record's id.
created_at: When it was made.
updated_at: When it was last changed.
created_by: Who made it: the id of a user, of an API key or of an app, or `system`.
version: Goes up by one with every change. Sent with a change, it has to be the present one, or nothing is changed.
external_id: Your own id for it, unique in the company.
custom_fields: Values of fields that the company defined, by name.
owner_id: Id of the user whose record it is.
team_id: Id of the team it belongs to.
territory_id: Id of the sales territory it is in.
tenant_id: Id of the company.
account_id: Id of the account, the company it is about.
parent_id: Id of the account above it.
user_id: Id of the user.

limit: How many records a page holds at most: 1 to 200.
offset: How many records come before the page.
page: Which page, counted from 1.
sort: The member to sort by.
order: The direction of the sort: rising (asc) or falling (desc).
search: Words to look for in the text members.
q: Words to look for.
filter_groups: Conditions; a record is found when all conditions of one group hold.
filters: Conditions that all have to hold.
fields: Which members are wanted.
include: Nested lists to fill in.
created_after: Only those made at this time or later.
created_before: Only those made before this time.
updated_after: Only those changed at this time or later.
updated_before: Only those changed before this time.
since: Only what happened at this time or later.
until: Only what happened before this time.
start_date: The first day of the range.
end_date: The last day of the range.
period: The length of time that figures are summed up for.
atomic: All or none: if one item fails, nothing is done.
dry_run: Only say what would be done.
overwrite: Replace values that are there, rather than fill in what is empty.

name: The name.
first_name: First name.
last_name: Last name.
salutation: How a letter begins: Ms, Dr.
email: E-mail address.
secondary_emails: Further e-mail addresses.
phone: Telephone number.
mobile: Mobile telephone number.
company: Name of the company.
department: Department of the company.
title: The title.
website: Address of the website.
url: The address.
industry: Branch of business.
domain: Domain of the company's e-mail addresses and website.
employees: Number of employees.
annual_revenue: What the company turns over in a year.
tax_id: Tax number.
logo: Address of a picture.
avatar: Address of a picture.
address: Postal address.
billing_address: Postal address for invoices.
shipping_address: Postal address for deliveries.
street: Street and number.
street2: Second line of the street.
city: City.
state: State, province or region.
postal_code: Postal code.
country: Country, by its two letters (ISO 3166-1).
birthday: Date of birth.
language: Preferred language, as a code such as `de`.
timezone: Time zone, by its IANA name such as `Europe/Berlin`.
locale: Language and region, such as `de-DE`.
social_profiles: Where to find them on social networks.
network: The social network.
handle: The name on the social network.
tags: Labels.
tag: A label.
notes: Notes.
description: What it is about.
summary: What it comes to, in a few words.
message: The text of the message.
subject: The subject line.
content: The text.
text: The text.
body: The text.
body_text: The text without formatting.
body_html: The text with formatting.
label: What it is called.
reason: Why.
reasons: Why, point by point.
location: Where it takes place.
do_not_contact: They must not be contacted at all.
email_opt_out: They want no e-mails.
sms_opt_out: They want no text messages.
timestamp: When it was written.
date: When it was.
read: Whether it was read.
archived: Whether it is put away.
active: Whether it is in use.
pinned: Whether it stays on top.

type: The kind.
kind: The kind.
status: Where it stands.
source: Where it came from.
source_detail: The form, campaign or post it came from.
campaign: The campaign it came from.
utm: Campaign parameters of the page it came from.
priority: How much it matters.
rating: How promising it is.
score: The score, 0 to 100.
confidence: How sure this is, 0 to 100.
lifecycle_stage: How far they are on the way to becoming a customer.
relationship_health: How good the relationship is.
sentiment: The mood.
category: The category.
direction: Whether it came in or went out.
role: The role.
stage: The stage of the pipeline.
stage_id: Id of the pipeline's stage.
value: The amount.
values: Several values.
currency: The currency, by its three letters (ISO 4217).
probability_override: A probability that is set by hand, 0 to 100.
expected_close_date: The day the deal is expected to be closed.
forecast_category: How surely the forecast counts with it.
next_step: What is to be done next.
next_steps: What is to be done next, step by step.
next_follow_up: When to get in touch again.
last_contact: When there was contact last.
last_activity: When something happened last.
last_activity_at: When something happened last.
lost_reason: Why the deal was lost.
lost_notes: More about why the deal was lost.
won_reason: Why the deal was won.
positive_signals: What speaks for it.
risk_factors: What speaks against it.
competitor_mentioned: The competitor that was named.
contact_roles: Who takes part in the deal, and as what.
is_primary: Whether it is the main one.
budget: What they can spend.
authority: Whether they may decide.
need: What they need.
timeline: When they want to begin.
qualified: Whether it is worth pursuing.
contact_company: Name of the contact's company.
attendees: Who takes part.
start_time: When it begins.
end_time: When it ends.
due_at: When it is due.
duration: How long it takes, in minutes.
reminders: When and how somebody is reminded.
channel: The way a message takes.
outcome: What came of it.
meeting_link: Address of the video meeting.
recording_url: Address of the recording.
ai_analysis: What the AI made of it.
ai_insights: What the AI noticed.
suggested_action: What the AI would do about it.
actionable: Whether something can be done about it.
activities: What happened.
items: The items, in the order of the request.
total: How many there are in all.
succeeded: How many went well.
failed: How many failed.
result: What came of it.
error: What went wrong.
errors: What is wrong, one by one.
code: The error code.
field: The member it is about.
rule: The rule that was broken.
details: Typed values that say more.
config: Settings, as the system wants them.
context: What else is to be known, as you like.
metadata: Further values.
started_at: When it began.
finished_at: When it ended.
sent_at: When it was sent.
received_at: When it came in.
expires_at: When it ends to be valid.
expires_in: In how many seconds it ends to be valid.
password: The password.
access_token: What every call is authorised with.
refresh_token: What new tokens are asked for with; good for one use.
token_type: How the token is sent: `Bearer`.
scope: What the token allows.
id_token: Who signed in, as a signed token.
api_key: The API key.
progress: How far it is.
before: The value before.
after: The value after.
changes: What changed.
count: How many there are.
total_value: The sum of the amounts.
survivor_id: Id of the record that stays.
merged_ids: Ids of records that were merged into this one.
sender: Who wrote it.
file: The file.
format: The format of the file.
op: How the member is compared.
high_value: The upper end of `between`.
conditions: Conditions; all of one group have to hold.
position: Its place in the order, from 0.
enabled: Whether it is in use.
include_children: Count in the accounts below it.
move_deals_to: Where the deals go that are in it.
assigned_at: When it was decided.
ids: The ids of the records.
filter: A selection that is ready made.
match_on: What two records are recognised as the same by.
draft_content: What is written so far.
communication_history: What was said and written, the oldest first.
conversation_history: What was written before, the oldest first.
entity_type: The kind of record.
events: The names of the events.
""")
"""The text of each name."""

_SHORT: Mapping[str, str] = {"ai": "AI", "id": "id", "url": "URL", "utm": "UTM", "mfa": "second factor"}


def words_of(name: str) -> str:
    """Return a name as words: ``forecast_category`` is a forecast category."""
    return " ".join(_SHORT.get(word, word) for word in name.split("_"))
