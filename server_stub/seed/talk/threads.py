"""What customers write to a demo company, and what it answers to just that: by language and mood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .texts import Mood


class Exchange(NamedTuple):
    """What somebody writes, and the answer to it."""

    subject: str
    body: str
    answer: str
    encloses: bool = False
    """Whether the answer comes with a document."""


EXCHANGES: Mapping[tuple[str, Mood], tuple[Exchange, ...]] = {
    ("en", "positive"): (
        Exchange(
            "Thanks for the demo!",
            "Thank you for the great demo. The team loved the reporting and we are excited to move forward.",
            "I am glad that it went well. Here is the summary with the reports that we looked at.",
            encloses=True,
        ),
        Exchange(
            "Budget approved",
            "Good news: the budget is approved. Please send the contract, we are happy with the proposal.",
            "Wonderful! The contract is attached; a signature on page four is all that we need.",
            encloses=True,
        ),
        Exchange(
            "Excellent onboarding",
            "The onboarding was excellent, everybody is impressed. We would gladly recommend you.",
            "Thank you, I pass that on to the team. May we quote you on our website?",
        ),
        Exchange(
            "Renewal",
            "We are very satisfied with the support and want to renew for two years. Perfect timing, too.",
            "That is great to hear. I prepare the renewal with the two-year discount and send it tomorrow.",
        ),
    ),
    ("en", "neutral"): (
        Exchange(
            "Question about seats",
            "Could you tell us how seats are counted when somebody changes teams?",
            "A seat belongs to the person, not to the team: a move costs nothing and needs no new seat.",
        ),
        Exchange(
            "Meeting moved",
            "We need to move the meeting to Thursday at 2 pm. The agenda stays as it is.",
            "Thursday at 2 pm suits us. I have moved the invitation.",
        ),
        Exchange(
            "Documents",
            "Attached are the documents for the security review. The review takes about two weeks.",
            "Received, thank you. I have sent them to our security team and add our own report.",
            encloses=True,
        ),
        Exchange(
            "Next steps",
            "We compare three vendors at the moment and decide at the end of the quarter. What are the next steps?",
            "I suggest a trial with your own data. Would Tuesday at 10 am suit you to set it up?",
        ),
    ),
    ("en", "negative"): (
        Exchange(
            "Still not working",
            "The import has failed three times and nobody answered. We are frustrated and disappointed.",
            "I am sorry that you had to wait. The file had a wrong encoding; I have imported it for you just now.",
        ),
        Exchange(
            "Pricing",
            "The price is too expensive for us and we have concerns about the contract. We look at a competitor.",
            "I am sorry that we have not found each other yet: with fewer seats in the first year it fits your budget.",
        ),
        Exchange(
            "Cancellation",
            "We want to cancel. The outage last week was a serious problem and cost us a customer.",
            "I am sorry for the outage. Before you decide: may our head of operations call you today?",
        ),
        Exchange(
            "Complaint",
            "This is the second wrong invoice. Unacceptable, we are really unhappy about it.",
            "I am sorry, you are right. The corrected invoice is attached; the next ones I check myself.",
            encloses=True,
        ),
    ),
    ("de", "positive"): (
        Exchange(
            "Danke für die Vorführung",
            "Vielen Dank für die hervorragende Vorführung, das Team ist begeistert. Wir möchten gern weitermachen.",
            "Das freut mich sehr. Anbei die Zusammenfassung mit den Berichten, die wir uns angesehen haben.",
            encloses=True,
        ),
        Exchange(
            "Freigabe erteilt",
            "Gute Nachrichten: Das Budget ist freigegeben, wir freuen uns auf die Zusammenarbeit.",
            "Wunderbar! Der Vertrag liegt bei; uns fehlt nur noch Ihre Unterschrift auf Seite vier.",
            encloses=True,
        ),
        Exchange(
            "Rundum zufrieden",
            "Die Einführung lief ausgezeichnet, alle sind sehr zufrieden. Wir empfehlen Sie gern weiter.",
            "Vielen Dank, das gebe ich an das Team weiter. Dürfen wir Sie damit zitieren?",
        ),
        Exchange(
            "Verlängerung",
            "Wir sind mit dem Support sehr zufrieden und möchten gern um zwei Jahre verlängern. Großartige Arbeit!",
            "Das hören wir gern. Ich bereite die Verlängerung mit dem Rabatt vor und schicke sie morgen.",
        ),
    ),
    ("de", "neutral"): (
        Exchange(
            "Rückfrage zur Rechnung",
            "Könnten Sie uns sagen, auf welche Kostenstelle die Rechnung gebucht wird?",
            "Auf die Kostenstelle aus Ihrer Bestellung, 4711. Soll ich sie für die nächste Rechnung ändern?",
        ),
        Exchange(
            "Neuer Termin",
            "Können wir das Gespräch auf Dienstag um 10 Uhr verlegen? Die Tagesordnung bleibt gleich.",
            "Dienstag um 10 Uhr passt uns. Die Einladung habe ich angepasst.",
        ),
        Exchange(
            "Unterlagen",
            "Anbei die Unterlagen für die Prüfung der Sicherheit. Die Prüfung dauert etwa zwei Wochen.",
            "Sie sind angekommen. Ich habe sie weitergeleitet und lege unseren eigenen Bericht bei.",
            encloses=True,
        ),
        Exchange(
            "Nächste Schritte",
            "Wir vergleichen gerade drei Anbieter und entscheiden am Quartalsende. Was sind die nächsten Schritte?",
            "Ich schlage einen Test mit Ihren eigenen Daten vor. Passt Ihnen Mittwoch um 11 Uhr zum Einrichten?",
        ),
    ),
    ("de", "negative"): (
        Exchange(
            "Fehler beim Import",
            "Der Import ist schon wieder fehlgeschlagen. Wir sind enttäuscht, dass niemand antwortet.",
            "Das tut mir leid. Die Datei hatte eine falsche Kodierung; ich habe sie soeben für Sie eingelesen.",
        ),
        Exchange(
            "Zu teuer",
            "Das Angebot ist uns leider zu teuer, außerdem haben wir Bedenken wegen der Laufzeit.",
            "Das tut mir leid. Mit weniger Plätzen im ersten Jahr passt es in Ihr Budget; ich rechne es Ihnen vor.",
        ),
        Exchange(
            "Kündigung",
            "Wir möchten kündigen. Der Ausfall war ein ernstes Problem und wir sind verärgert.",
            "Das tut mir leid. Darf unser Leiter des Betriebs Sie heute noch anrufen, bevor Sie entscheiden?",
        ),
        Exchange(
            "Falsche Rechnung",
            "Das ist die zweite falsche Rechnung. Wir sind wirklich enttäuscht und verärgert.",
            "Das tut mir leid, Sie haben recht. Die richtige Rechnung liegt bei.",
            encloses=True,
        ),
    ),
    ("es", "positive"): (
        Exchange(
            "Gracias por la demostración",
            "Muchas gracias por la excelente demostración, el equipo está encantado. Queremos seguir adelante.",
            "Me alegro mucho. Le adjunto el resumen con los informes que vimos.",
            encloses=True,
        ),
        Exchange(
            "Presupuesto aprobado",
            "Buenas noticias: el presupuesto está aprobado y estamos muy contentos con la propuesta.",
            "¡Estupendo! Le adjunto el contrato; solo falta su firma en la página cuatro.",
            encloses=True,
        ),
        Exchange(
            "Muy satisfechos",
            "Estamos muy satisfechos con el soporte. Fantástico trabajo, los recomendamos.",
            "Muchas gracias, se lo digo al equipo. ¿Podemos citarle en nuestra web?",
        ),
        Exchange(
            "Renovación",
            "Estamos muy contentos y queremos renovar por dos años. ¡Excelente servicio!",
            "Qué buena noticia. Preparo la renovación con el descuento y se la envío mañana.",
        ),
    ),
    ("es", "neutral"): (
        Exchange(
            "Consulta sobre licencias",
            "¿Podrían decirnos cómo se cuentan las licencias si alguien cambia de equipo?",
            "La licencia es de la persona, no del equipo: el cambio no cuesta nada.",
        ),
        Exchange(
            "Cambio de hora",
            "Tenemos que mover la reunión al jueves a las 16:00. El orden del día no cambia.",
            "El jueves a las 16:00 nos va bien. Ya he movido la invitación.",
        ),
        Exchange(
            "Documentos",
            "Adjuntamos los documentos para la revisión de seguridad. La revisión tarda unas dos semanas.",
            "Recibidos. Los he enviado a nuestro equipo y le adjunto nuestro propio informe.",
            encloses=True,
        ),
        Exchange(
            "Próximos pasos",
            "Comparamos tres proveedores y decidimos al final del trimestre. ¿Cuáles son los próximos pasos?",
            "Propongo una prueba con sus propios datos. ¿Le viene bien el miércoles a las 11:00?",
        ),
    ),
    ("es", "negative"): (
        Exchange(
            "Sigue sin funcionar",
            "La importación ha fallado tres veces y nadie responde. Estamos decepcionados y molestos.",
            "Lamento la espera. El archivo tenía una codificación equivocada; acabo de importarlo por usted.",
        ),
        Exchange(
            "Precio",
            "La oferta es demasiado cara y tenemos dudas sobre el contrato. Estamos mirando a la competencia.",
            "Lamento que no encaje todavía. Con menos licencias el primer año entra en su presupuesto; se lo calculo.",
        ),
        Exchange(
            "Cancelación",
            "Queremos cancelar. La caída de la semana pasada fue un problema grave.",
            "Lamento la caída. Antes de que decida, ¿puede llamarle hoy nuestro jefe de operaciones?",
        ),
        Exchange(
            "Factura incorrecta",
            "Es la segunda factura incorrecta. Inaceptable, estamos muy molestos.",
            "Lamento el error, tiene razón. Le adjunto la factura correcta.",
            encloses=True,
        ),
    ),
}
