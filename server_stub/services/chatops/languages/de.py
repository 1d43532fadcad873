"""What the assistant says in German: one line each."""

TEXTS = """\
one.deal: Geschäft
one.contact: Kontakt
one.lead: Lead
one.account: Firma
one.task: Aufgabe
one.event: Termin
one.call: Anruf
one.note: Notiz
one.email: E-Mail
one.activity: Aktivität
one.user: Benutzer
many.deal: Geschäfte
many.contact: Kontakte
many.lead: Leads
many.account: Firmen
many.task: Aufgaben
many.event: Termine
many.call: Anrufe
many.note: Notizen
many.email: E-Mails
many.activity: Aktivitäten
many.user: Benutzer
counted: {total} {noun}
listed: {total} {noun}: {names}
more: {names} und {rest} weitere
sum: Die Summe von {field} über {total} {noun} ist {value} {unit}
average: Der Durchschnitt von {field} über {total} {noun} ist {value} {unit}
converted: {told}, umgerechnet in {currency}, die Währung der Firma
nothing: Zu {what} wurde nichts gefunden
which: Mehrere Datensätze passen zu {what}: welchen meinen Sie?
no_it: Es gibt noch keine Antwort, die {what} meinen könnte
unknown: Das habe ich nicht verstanden. Die nächsten Befehle sind {names}
no_word: {word} sagt nichts über {noun}
no_value: {word} hat kein Datensatz der Art {one}
no_field: {noun} haben kein Feld {word}
no_number: {word} von {noun} ist keine Zahl
no_user: Es gibt keinen Benutzer {word}
no_time: {word} ist kein Zeitpunkt
wrong_kind: {name} passt nicht zu diesem Befehl
usage: Dieser Befehl wird so geschrieben: {usage}
unchanged: Nichts würde sich ändern
plan: Das würde {what}. Bestätigen?
create: {one} {name} anlegen
update: {names} ändern: {values}
done: Erledigt: {what}
cancelled: Abgebrochen: nichts wurde geschrieben
help: Diese Befehle gibt es: {names}
summary: {name}: {facts}
happened: {count} Aktivitäten, die letzten: {names}
quiet: noch keine Aktivitäten
command.list: Datensätze auflisten
command.show: Einen Datensatz zeigen
command.count: Datensätze zählen
command.sum: Ein Feld von Datensätzen summieren
command.create: Einen Datensatz anlegen
command.set: Felder eines Datensatzes ändern
command.move: Ein Geschäft in eine Phase verschieben
command.done: Eine Aufgabe erledigen
command.assign: Einen Datensatz einem Benutzer zuweisen
command.log: Einen Anruf oder eine Notiz festhalten
command.schedule: Einen Termin mit einem Kontakt vereinbaren
command.summarize: Einen Datensatz und seinen Verlauf zusammenfassen
command.help: Die Befehle auflisten
"""
FILLERS = """
alle aller alles bitte das dem den der des die ein eine einen es gibt haben hat ich im in ist liste mir mit nach
sind und uns unsere viele viel von was welche welchen wer wie wir zeig zeige zu zum anzahl summe gesamtwert
durchschnitt durchschnittliche wert
"""
"""The words of a question that say nothing of which records are meant."""
