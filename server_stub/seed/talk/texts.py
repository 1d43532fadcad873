"""What people wrote and said in the demo data: in three languages, and in three moods one can read from the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

Mood: TypeAlias = Literal["positive", "neutral", "negative"]


class Text(NamedTuple):
    """The subject and the body of an e-mail, or the topic and the summary of a conversation."""

    subject: str
    body: str


TEXTS: Mapping[tuple[str, Mood], tuple[Text, ...]] = {
    ("en", "positive"): (
        Text(
            "Thanks for the demo!",
            "Thank you for the great demo. The team loved the reporting and we are excited to move forward.",
        ),
        Text(
            "Budget approved",
            "Good news: the budget is approved. Please send the contract, we are happy with the proposal.",
        ),
        Text(
            "Excellent onboarding",
            "The onboarding was excellent, everybody is impressed. We would gladly recommend you.",
        ),
        Text("Renewal", "We are very satisfied with the support and want to renew for two years. Perfect timing, too."),
    ),
    ("en", "neutral"): (
        Text("Question about seats", "Could you tell us how seats are counted when somebody changes teams?"),
        Text("Meeting moved", "We need to move the meeting to Thursday at 2 pm. The agenda stays as it is."),
        Text("Documents", "Attached are the documents for the security review. The review takes about two weeks."),
        Text("Intro call", "Talked through the current process: two spreadsheets, eleven people, a monthly report."),
    ),
    ("en", "negative"): (
        Text(
            "Still not working",
            "The import has failed three times and nobody answered. We are frustrated and disappointed.",
        ),
        Text(
            "Pricing",
            "The price is too expensive for us and we have concerns about the contract. We look at a competitor.",
        ),
        Text("Cancellation", "We want to cancel. The outage last week was a serious problem and cost us a customer."),
        Text("Complaint", "This is the second wrong invoice. Unacceptable, we are really unhappy about it."),
    ),
    ("de", "positive"): (
        Text(
            "Danke für die Vorführung",
            "Vielen Dank für die hervorragende Vorführung, das Team ist begeistert. Wir möchten gern weitermachen.",
        ),
        Text(
            "Freigabe erteilt", "Gute Nachrichten: Das Budget ist freigegeben, wir freuen uns auf die Zusammenarbeit."
        ),
        Text(
            "Rundum zufrieden",
            "Die Einführung lief ausgezeichnet, alle sind sehr zufrieden. Wir empfehlen Sie gern weiter.",
        ),
    ),
    ("de", "neutral"): (
        Text("Rückfrage zur Rechnung", "Könnten Sie uns sagen, auf welche Kostenstelle die Rechnung gebucht wird?"),
        Text("Termin verschoben", "Wir verlegen das Gespräch auf Dienstag um 10 Uhr. Die Tagesordnung bleibt gleich."),
        Text(
            "Erstgespräch", "Der heutige Ablauf wurde durchgesprochen: zwei Tabellen, elf Personen, ein Monatsbericht."
        ),
    ),
    ("de", "negative"): (
        Text(
            "Fehler beim Import",
            "Der Import ist schon wieder fehlgeschlagen. Wir sind enttäuscht, dass niemand antwortet.",
        ),
        Text("Zu teuer", "Das Angebot ist uns leider zu teuer, außerdem haben wir Bedenken wegen der Laufzeit."),
        Text("Kündigung", "Wir möchten kündigen. Der Ausfall war ein ernstes Problem und wir sind verärgert."),
    ),
    ("es", "positive"): (
        Text(
            "Gracias por la demostración",
            "Muchas gracias por la excelente demostración, el equipo está encantado. Queremos seguir adelante.",
        ),
        Text(
            "Presupuesto aprobado",
            "Buenas noticias: el presupuesto está aprobado y estamos muy contentos con la propuesta.",
        ),
        Text("Muy satisfechos", "Estamos muy satisfechos con el soporte. Fantástico trabajo, los recomendamos."),
    ),
    ("es", "neutral"): (
        Text(
            "Consulta sobre licencias", "¿Podrían decirnos cómo se cuentan las licencias si alguien cambia de equipo?"
        ),
        Text("Cambio de hora", "Tenemos que mover la reunión al jueves a las 16:00. El orden del día no cambia."),
        Text(
            "Primera llamada", "Repasamos el proceso actual: dos hojas de cálculo, once personas, un informe mensual."
        ),
    ),
    ("es", "negative"): (
        Text(
            "Sigue sin funcionar",
            "La importación ha fallado tres veces y nadie responde. Estamos decepcionados y molestos.",
        ),
        Text(
            "Precio", "La oferta es demasiado cara y tenemos dudas sobre el contrato. Estamos mirando a la competencia."
        ),
        Text("Cancelación", "Queremos cancelar. La caída de la semana pasada fue un problema grave."),
    ),
}

LEAD_NOTES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Interested in enterprise plan",
        "Asked for a trial",
        "Met at the trade fair",
        "Needs a quote by the end of the month",
    ),
    "de": ("Interesse am Enterprise-Tarif", "Bittet um ein Angebot", "Messekontakt aus Köln"),
    "es": ("Interesado en el plan Enterprise", "Pide una prueba gratuita", "Contacto de la feria de Sevilla"),
}

MEETINGS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Product demo for {company}", "Kick-off with {company}", "Quarterly review with {company}",
        "Requirements workshop with {company}", "Contract talk with {company}", "Check-in with {company}",
    ),
    "de": (
        "Vorführung bei {company}", "Auftakt mit {company}", "Quartalsgespräch mit {company}",
        "Workshop mit {company}", "Vertragsgespräch mit {company}",
    ),
    "es": (
        "Demostración para {company}", "Arranque con {company}", "Revisión trimestral con {company}",
        "Taller con {company}", "Reunión sobre el contrato con {company}",
    ),
}  # fmt: skip
"""The titles of meetings."""
