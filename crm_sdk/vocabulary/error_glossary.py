"""What every error code means, in a sentence: the same in the command line's help, the reference and OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping


def _read(lines: str) -> Mapping[str, str]:
    pairs = (line.partition(": ") for line in lines.splitlines())
    return {code: text for code, _, text in pairs}


MEANINGS: Mapping[str, str] = _read("""\
BAD_REQUEST: The request cannot be read, or contradicts itself.
INVALID_GRANT: The grant is unknown, used up or of another client.
INVALID_REDIRECT_URI: The address to come back to is not registered for this client.
INVALID_SCOPE: The scope is unknown, or more than may be given.
INVALID_TOKEN: The token in the request is unknown or used up.
TOKEN_EXPIRED: The token in the request is no longer valid.
UNKNOWN_CLIENT: The client id is not registered.
UNSUPPORTED_GRANT_TYPE: No tokens are given for this type of grant.
UNSUPPORTED_VERSION: The server has no such version of the API.
INVALID_CLIENT: The client's id and secret do not belong together.
INVALID_CREDENTIALS: The e-mail address or the password is wrong.
INVALID_MFA_CODE: The code of the second factor is wrong.
TOKEN_REUSED: The refresh token was used before: the session is ended.
UNAUTHORIZED: Nobody is signed in: the token or the API key is missing, unknown or no longer valid.
CANNOT_CHANGE_OWN_ROLE: Nobody changes their own role.
CLIENT_ID_FORBIDDEN: The server gives the ids of new records (JSON:API).
DOMAIN_NOT_ALLOWED: The company does not allow e-mail addresses of this domain.
EMAIL_NOT_VERIFIED: The user's e-mail address has not been confirmed.
FEATURE_DISABLED: The company has switched this feature off.
FEATURE_NOT_IN_PLAN: The company's plan does not have this feature.
FIELD_FORBIDDEN: No role of the caller lets it write this member.
FILE_LOCKED: Somebody else has locked the file.
FORBIDDEN: The role does not allow this, or the record is somebody else's.
LIMIT_EXCEEDED: The plan allows no more of these.
MFA_REQUIRED: This needs a session that was begun with a second factor.
NOT_AN_ATTENDEE: Only those who take part may do this.
NOT_COMMENT_AUTHOR: Only the author of a comment may do this.
NO_USER: An API key is nobody: this needs the session of a user.
ROLE_ESCALATION: The role would allow more than the caller's own.
SHARE_EXCEEDS_ACCESS: Nobody shares more than they may do themselves.
SHARE_EXPIRED: The share is no longer valid.
TENANT_MISMATCH: The header names another company than the token or the API key belongs to.
USER_INACTIVE: The user has been deactivated.
NOT_FOUND: There is no such record, or it is not to be seen by the caller.
ROUTE_NOT_FOUND: The server has nothing at this path.
METHOD_NOT_ALLOWED: The path does not have this method; the header `Allow` names those it has.
ACCOUNT_CONNECTED: The account is connected already.
ACCOUNT_DISCONNECTED: The account is not connected any more.
ACCOUNT_EXISTS: Another account has this domain.
ACCOUNT_HAS_CHILDREN: The account has others below it.
ACCOUNT_HAS_OPEN_DEALS: The account has open deals.
ACCOUNT_HAS_PARENT: The account is below another one already.
ACCOUNT_MISMATCH: The records belong to different accounts.
ACTIVITY_CLOSED: The activity is completed or cancelled.
ALREADY_ENROLLED: The record is in this workflow already.
ALREADY_INSTALLED: The app is installed already.
ALREADY_MEMBER: They are a member already.
ALREADY_SHARED: It is shared with them already.
API_KEY_REVOKED: The key was revoked or has expired: create a new one.
API_KEY_SESSION: A session of an API key cannot do this.
APP_EXISTS: Another app has this name.
APP_NOT_PUBLISHED: The app is not published.
CALL_ENDED: The call has ended.
CANNOT_DEACTIVATE_SELF: Nobody deactivates themselves.
CANNOT_DELETE_SELF: Nobody deletes themselves.
CARDINALITY_VIOLATION: The relationship allows no further record on this side.
COMMENT_DELETED: The comment is deleted.
CONTACT_EXISTS: Another contact has this e-mail address or external id.
CURRENCY_IN_USE: Records have amounts in this currency.
DEAL_CLOSED: The deal is won or lost: it has to be opened again first.
DEAL_NOT_IN_PIPELINE: The deal is in another pipeline.
DUPLICATE_VALUE: Another record has this value, which has to be unique.
EMAIL_EXISTS: The e-mail address is taken.
EMAIL_SENT: The e-mail has been sent.
FIELD_EXISTS: Another field has this name.
FIELD_HAS_CONFLICTS: Stored values do not fit what the field would become.
FIELD_IN_USE: The field is used elsewhere.
FIELD_NEEDS_DEFAULT: A required field needs a default for the records that are there.
FIELD_PROTECTED: The field belongs to the system.
FIELD_TYPE_CHANGE: The type of a field with values cannot be changed so.
FILE_EXISTS: There is a file of this name.
FLAG_EXISTS: Another flag has this key.
GRID_TOO_NARROW: A widget needs more columns than the dashboard would have.
HIERARCHY_CYCLE: A record would be above itself.
HIERARCHY_TOO_DEEP: The hierarchy would have too many levels.
IDEMPOTENCY_KEY_REUSED: The idempotency key was sent before with another request.
IMPORT_FILE_CHANGED: The import that is retried read another file.
IMPORT_NOT_REVERTIBLE: The import cannot be taken back: `details.reason` says why.
INTEGRATION_EXISTS: There is such an integration already.
INTEGRATION_NOT_CONNECTED: The integration is not connected.
INVOICE_OPEN: There is an unpaid invoice.
KEYWORD_EXISTS: The keyword is taken.
JOB_FINISHED: The job has ended already.
JOB_NOT_CANCELLABLE: Jobs of this kind go on to their end.
BACKUP_IN_PROGRESS: A backup or a restore goes on: it has to end first.
BACKUP_NOT_READY: The backup has not succeeded: there is nothing to restore.
LAST_BACKUP: It is the last backup that succeeded.
CURSOR_EXPIRED: The position is too old, of another state of the data, or of other rights: scan anew.
LAST_ADMIN: The company needs somebody who administers it.
LAST_ROLE: A user needs at least one role.
LAYOUT_EXISTS: Another layout of this kind has this name.
LAYOUT_PROTECTED: The layout is the system's: make another one.
LEAD_CONVERTED: The lead was converted.
LEAD_UNQUALIFIED: The lead was found not worth pursuing.
SUBJECT_ERASED: The person was erased, and is not to be stored again.
PRIVACY_IN_PROGRESS: Another request about this person is being carried out.
LEGAL_HOLD: The record has to be kept for legal reasons.
LIMIT_BELOW_USAGE: More is in use than the new limit allows.
MAPPING_EXISTS: The field is mapped already.
MEETING_CANCELLED: The meeting was cancelled.
MEETING_NOT_OPEN: The meeting cannot be joined now.
MEMBER_INACTIVE: The member is not active.
MFA_ALREADY_ENABLED: A second factor is set up already.
MFA_NOT_ENABLED: No second factor is set up.
MFA_NOT_PENDING: No second factor is waiting to be confirmed.
NEW_VERSION_REQUIRED: What is published is not changed: make a new version.
NOTIFICATION_EXPIRED: The notification has expired.
NOT_ENOUGH_TRAINING_DATA: There are too few records to train with.
NOT_INSTALLED: The app is not installed.
NOT_RETRYABLE: It cannot be tried again.
NO_DEVICE: No device is registered.
NO_MAPPINGS: No fields are mapped.
NO_MEETING_LINK: The meeting has no link.
NO_SLOT_AVAILABLE: No time fits everybody.
NO_TELEPHONY: No telephone system is connected.
NO_THUMBNAIL: The file has no small picture.
OBJECT_EXISTS: Another object has this name.
OBJECT_HAS_RECORDS: The object has records.
OBJECT_INACTIVE: It is not in use any more.
OBJECT_REFERENCED: Others refer to the object.
OPTION_IN_USE: Records have this option.
PAYMENT_METHOD_REQUIRED: There is no means of payment.
PIPELINE_EXISTS: Another pipeline has this name.
PIPELINE_HAS_DEALS: There are deals in the pipeline.
PIPELINE_INACTIVE: The pipeline is not in use.
PIPELINE_IS_DEFAULT: The default pipeline has to stay: make another one the default first.
PLAN_DONE: The plan was carried out or cancelled before.
PLAN_EXPIRED: The plan is older than ten minutes.
PLAN_UNCHANGED: The company has this plan already.
RECIPIENT_OPTED_OUT: The recipient wants no such messages.
RECOMMENDATION_EXPIRED: The recommendation is no longer valid.
RANGE_NOT_SATISFIABLE: The file has no such bytes; `Content-Range` has its size.
RECORD_MERGED: The record was merged into another one.
RECORD_REFERENCED: Others refer to the record.
REINDEX_IN_PROGRESS: The index is being built.
RELATIONSHIP_CYCLE: The relationships would form a circle.
RELATIONSHIP_EXISTS: There is such a relationship already.
RELATIONSHIP_IN_USE: Records are related by it.
REPORT_BROKEN: The report refers to something that is gone.
REPORT_IN_USE: The report is used elsewhere.
RETRY_LIMIT: It was tried as often as it may be.
REVIEW_PENDING: A review is waiting to be decided.
ROLE_ALREADY_ASSIGNED: They have this role already.
ROLE_EXISTS: Another role has this key.
ROLE_IN_USE: Users have the role: name the one that they get instead.
ROLE_PROTECTED: Every company has this role, and nobody can change it.
SCHEDULE_CONFLICT: It overlaps with something else.
SCHEDULE_EXISTS: Another schedule has this name.
SCHEDULE_LIMIT: No more schedules are allowed.
SEATS_IN_USE: More people are active than the plan would have seats.
SETTING_LOCKED: The company has locked this setting: its value is in force for everybody.
STAGE_BACKWARD_FORBIDDEN: The pipeline does not let deals go back.
STAGE_EXISTS: Another stage of the pipeline has this name.
STAGE_HAS_DEALS: There are deals in the stage.
STAGE_NOT_IN_PIPELINE: The stage belongs to another pipeline.
STAGE_REQUIRED: The pipeline needs this stage.
STAGE_SKIP_FORBIDDEN: The pipeline does not let deals leave out a stage.
SYNC_IN_PROGRESS: The synchronisation is running.
SYNC_NOT_PAUSED: The synchronisation is not paused.
SYNC_NOT_RUNNING: The synchronisation is not running.
TEAM_EXISTS: Another team has this name.
TEAM_MANAGER: They manage a team.
TEMPLATE_EXISTS: Another template has this name.
TEMPLATE_IN_USE: The template is used elsewhere.
TENANT_CANCELLED: The company's contract has ended.
TENANT_EXISTS: Another company has this name.
TENANT_REQUIRED: The user belongs to several companies: the request has to name one.
TERRITORY_EXISTS: Another territory has this name.
TERRITORY_INACTIVE: The territory is not in use.
TERRITORY_IN_USE: The territory has territories within it, locked accounts, teams or open leads.
TRAINING_IN_PROGRESS: The model is being trained.
USAGE_EXCEEDS_PLAN: More is in use than the new plan allows.
USER_BUSY: The user has something else at that time.
USER_EXISTS: Another user has this e-mail address.
USER_OWNS_RECORDS: The user owns records: somebody else has to take them first.
VERSION_CONFLICT: The record has been changed since that version.
VERSION_NOT_NEWER: The version is not newer than the present one.
VERSION_UNCHANGED: Nothing differs from the present version.
WORKFLOW_ACTIVE: The workflow is active.
WORKFLOW_INACTIVE: The workflow is not active.
WORKFLOW_INCOMPLETE: The workflow lacks a part it needs.
WORKFLOW_INVALID: The workflow has mistakes.
WORKFLOW_REFERENCED: Others refer to the workflow.
BULK_REJECTED: An item failed, and all or nothing was asked for: nothing was done.
CHECKSUM_MISMATCH: The content differs from its checksum.
NOT_A_SUBJECT: Only contacts and leads are people in this sense; users are not.
CONFIRMATION_REQUIRED: This cannot be undone: it has to be confirmed.
CONNECTION_REFUSED: The other system refused the connection.
CONTENT_TOO_LONG: The text is longer than the channel carries.
CONTENT_TYPE_CHANGED: The file is of another type than before.
DUPLICATE_FIELD: The field is named twice.
DUPLICATE_POLICY: The policy for duplicates does not allow this.
FEATURE_REQUIRED: Another feature has to be switched on first.
FIELD_NOT_FACETABLE: Records cannot be counted by this field.
FIELD_READ_ONLY: The member is computed by the server.
FILE_INFECTED: The file holds a virus.
FILE_TOO_LARGE: The file is too large.
FILTER_TOO_LARGE: There are too many conditions.
IMAGE_TOO_LARGE: The picture is too large.
INCOMPLETE_ORDER: An order has to name each of them once.
INVALID_FILE_NAME: The file's name is not allowed.
INVALID_FORMAT: The value does not have the form it needs.
INVALID_GROUPING: A board cannot be grouped by this field, which has no options.
INVALID_IMAGE: This is not a picture that can be read.
INVALID_MEASURE: This measure cannot be computed of this field.
INVALID_OPERATOR: The member cannot be compared like that.
INVALID_PHONE: This is not a telephone number.
INVALID_SCHEDULE: The schedule cannot be kept.
LIMIT_ABOVE_PLAN: The plan does not allow so much.
LOCKOUT: Nobody could sign in any more.
LOST_REASON_REQUIRED: A lost deal needs a reason.
MEDIA_REQUIRED: The message needs a picture or a file.
MISSING_PARAMETER: A parameter is missing.
MISSING_VARIABLE: A variable of the template has no value.
NETWORK_MISMATCH: The networks differ.
INVALID_CURSOR: The position cannot be read, or is another company's.
NOT_ACCEPTABLE: The request accepts JSON:API only with an extension or a parameter that the server does not have.
INVALID_ARCHIVE: The file is no archive of a backup, of another format, or damaged.
NOT_A_KEY: Records are not found by this field.
NOT_RECURRING: The activity is not a series, so it has no single occurrences.
NOT_SCHEDULABLE: This cannot be scheduled.
NO_PLAN: The message plans nothing that could be confirmed.
NO_ADDRESS: The recipient has no address for this channel.
OCCURRENCE_NOT_FOUND: The series has no occurrence that begins at this time.
PASSWORD_REUSED: The password was used before.
PAYMENT_METHOD_DECLINED: The means of payment was declined.
PERMISSION_NOT_GRANTED: The app was not given this permission.
PROBABILITY_MISMATCH: The probability does not fit the kind of stage.
QUERY_TOO_SHORT: There is too little to search for.
REASON_REQUIRED: A reason is needed.
RECIPIENT_NO_ACCESS: The recipient may not see the record.
REFERENCE_NOT_FOUND: An id in the request belongs to no record of the company.
REQUIRED_FIELD_MISSING: The form lacks a field that a new record has to be given.
RESERVED_NAME: The name belongs to the system.
RETENTION_TOO_SHORT: Records have to be kept longer.
SELF_RELATIONSHIP: A record cannot be related to itself.
SETTING_SCOPE: The setting cannot be set on this level.
STAGE_FIELDS_MISSING: The deal lacks members that the stage demands.
STAGE_KINDS_MISSING: A pipeline needs one stage each for won and for lost, and one that is open.
STAGE_ORDER: The stages stand in an order that is not allowed.
TEMPLATE_SYNTAX: The template cannot be read.
THRESHOLD_ORDER: The thresholds have to rise.
TOO_MANY_ITEMS: There are more items than one request may have.
TRIGGER_NOT_SUPPORTED: This trigger is not supported.
TYPE_CONFLICT: The type or the id of a JSON:API document is not that of the record in the path.
TYPE_MISMATCH: The types differ.
UNKNOWN_FIELD: The records have no such member.
UNKNOWN_METRIC: There is no such metric.
MATCH_KEY_MISSING: The record lacks the member by which it is matched.
NOT_DELETED: The record is live: there is nothing to restore.
RESTORE_CONFLICT: A live record has taken the unique value of the one to restore.
UNKNOWN_SETTING: There is no such setting.
UNKNOWN_PERMISSION: There is no such permission.
UNSUPPORTED_MEDIA_TYPE: The body is JSON:API with an extension or a parameter that the server does not have.
UNSUPPORTED_OPERATION: This is not supported here.
URL_NOT_ALLOWED: The address is not one that requests may be sent to.
USER_HAS_NO_ACCESS: The user may not see the record.
VALIDATION_ERROR: A member or an argument is missing or not valid; `field` and `rule` say which, and why.
WEAK_PASSWORD: The password is too easily guessed.
WIDGET_OUT_OF_GRID: The widget would stand outside the grid.
WIDGET_OVERLAP: The widget would cover another one.
WORKFLOW_LOOP: The workflow would start itself again.
RATE_LIMIT_EXCEEDED: There were too many calls; `Retry-After` says how long to wait.
TOO_MANY_ATTEMPTS: There were too many wrong attempts; `Retry-After` says how long to wait.
AI_SERVICE_ERROR: The AI did not answer.
INTERNAL_ERROR: The server failed.
NOT_IMPLEMENTED: The server has no rule for this call.
BAD_GATEWAY: A proxy got no usable answer of the server.
SERVICE_UNAVAILABLE: The server cannot answer now.
GATEWAY_TIMEOUT: A proxy waited too long for the server.
AMBIGUOUS_MATCH: Several records match the item.
AUTOMATION_LOOP: Automations started each other too often.
BACKUP_CORRUPT: The archive of the backup is gone or damaged: nothing was restored.
CHANGED_SINCE: The record or field was changed since, and is left as it is.
DUPLICATE_IN_BATCH: An earlier item of the same request is about the same record.
NO_ELIGIBLE_OWNER: Nobody can be given the record.
SOURCE_MISSING: What it is made from is gone.
TOO_MANY_ERRORS: More rows failed than the import was told to bear.
TOO_MANY_ROWS: The file has more rows than can be imported.
UNREADABLE_FILE: The file cannot be read.""")
"""The sentence of each code of `codes.STATUSES`."""
