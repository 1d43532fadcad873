"""What the assistant says in English: one line each."""

TEXTS = """\
one.deal: deal
one.contact: contact
one.lead: lead
one.account: account
one.task: task
one.event: event
one.call: call
one.note: note
one.email: e-mail
one.activity: activity
one.user: user
many.deal: deals
many.contact: contacts
many.lead: leads
many.account: accounts
many.task: tasks
many.event: events
many.call: calls
many.note: notes
many.email: e-mails
many.activity: activities
many.user: users
counted: {total} {noun}
listed: {total} {noun}: {names}
more: {names} and {rest} more
sum: The sum of {field} of {total} {noun} is {value} {unit}
average: The average {field} of {total} {noun} is {value} {unit}
converted: {told}, converted to {currency}, the company's currency
nothing: Nothing was found for {what}
which: Several records fit {what}: which one do you mean?
no_it: There is no answer yet that {what} could mean
unknown: I did not understand that. The nearest commands are {names}
no_word: {word} says nothing of {noun}
no_value: No {one} has {word}
no_field: {noun} have no member {word}
no_number: {word} of {noun} is no number
no_user: There is no user {word}
no_time: {word} is no time
wrong_kind: {name} cannot be the record of this command
usage: This command is written {usage}
unchanged: Nothing would change
plan: This would {what}. Confirm it?
create: create {one} {name}
update: change {names}: {values}
done: Done: {what}
cancelled: Cancelled: nothing was written
help: These commands are there: {names}
summary: {name}: {facts}
happened: {count} activities, the last: {names}
quiet: no activities yet
command.list: List records
command.show: Show one record
command.count: Count records
command.sum: Add up a member of records
command.create: Create a record
command.set: Change members of a record
command.move: Move a deal to a stage
command.done: Complete a task
command.assign: Assign a record to a user
command.log: Log a call or a note
command.schedule: Schedule a meeting with a contact
command.summarize: Summarize a record and what happened
command.help: List the commands
"""
FILLERS = """
a all am an and any are as at be best by can count could did do does each every find for get give has have how i is
list look many me much number of on our please see show sum tell that the their there they to total up us value
values want was we were what when where which who whose with worth you your average mean s
"""
"""The words of a question that say nothing of which records are meant."""
