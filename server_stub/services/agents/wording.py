"""What agents say, in the languages that they speak: English, German and Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ...serving import Members
from ..language import language_of

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "meet": {
        "en": "I suggest {what}{with_name} on {at}.",
        "de": "Ich schlage {what}{with_name} am {at} vor.",
        "es": "Propongo {what}{with_name} el {at}.",
    },
    "meet_wished": {
        "en": "I have noted {what}{with_name} on {at}, and suggest to send the invitation.",
        "de": "Ich habe {what}{with_name} am {at} vorgemerkt und schlage vor, die Einladung zu senden.",
        "es": "He anotado {what}{with_name} el {at} y propongo enviar la invitación.",
    },
    "thanks": {
        "en": "You're welcome{name}! Tell me if there is anything else.",
        "de": "Sehr gern{name}! Sagen Sie mir, wenn es noch etwas gibt.",
        "es": "¡De nada{name}! Dígame si hay algo más.",
    },
    "cancel_meeting": {
        "en": "I pass the cancellation on{name}: a colleague will confirm it and offer another time.",
        "de": "Ich gebe die Absage weiter{name}: Ein Kollege bestätigt sie und schlägt einen anderen Termin vor.",
        "es": "Paso la cancelación{name}: un compañero la confirmará y propondrá otra hora.",
    },
    "cancel": {
        "en": "I am sorry to hear that{name}. A person will take care of the cancellation and call you today.",
        "de": "Das tut mir leid{name}. Ein Mensch kümmert sich um die Kündigung und ruft Sie heute an.",
        "es": "Lo siento{name}. Una persona se ocupará de la cancelación y le llamará hoy.",
    },
    "complain": {
        "en": "I am sorry to hear that{name}. Somebody who can settle it will call you today.",
        "de": "Das tut mir leid{name}. Jemand, der es klären kann, ruft Sie heute an.",
        "es": "Lo siento{name}. Alguien que puede resolverlo le llamará hoy.",
    },
    "help": {
        "en": "Happy to help{name}. Our support will look into it: {text}",
        "de": "Gern helfe ich{name}. Unser Support sieht es sich an: {text}",
        "es": "Con gusto le ayudo{name}. Nuestro soporte lo revisará: {text}",
    },
    "help_urgent": {
        "en": "I am sorry for the trouble{name}. Our support will look into it: {text}",
        "de": "Die Umstände tun mir leid{name}. Unser Support sieht es sich an: {text}",
        "es": "Siento las molestias{name}. Nuestro soporte lo revisará: {text}",
    },
    "price": {
        "en": "I'd be happy to help with pricing information{name}.{fitting} Shall we go through it in a call?",
        "de": "Gern helfe ich mit Informationen zu den Preisen{name}.{fitting} Wollen wir sie am Telefon durchgehen?",
        "es": "Con gusto le informo de los precios{name}.{fitting} ¿Lo vemos en una llamada?",
    },
    "fitting": {
        "en": " With about {value} {currency} in mind I would show the plan that fits it.",
        "de": " Bei etwa {value} {currency} würde ich den Tarif zeigen, der dazu passt.",
        "es": " Con unos {value} {currency} en mente, mostraría el plan que encaja.",
    },
    "call": {"en": "a call", "de": "einen Anruf", "es": "una llamada"},
    "meeting": {"en": "a meeting", "de": "ein Treffen", "es": "una reunión"},
    "with": {"en": " with {name}", "de": " mit {name}", "es": " con {name}"},
}
_DAYS: Mapping[str, str] = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
}
_MONTHS: Mapping[str, str] = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_MOMENT: Mapping[str, str] = {
    "en": "{weekday}, {day} {month} at {time} ({zone})",
    "de": "{weekday}, {day}. {month} um {time} Uhr ({zone})",
    "es": "{weekday} {day} de {month} a las {time} ({zone})",
}


def language_for(text: str, record: Members | None) -> str:
    """Return the language to answer in: that of the text, else of the record it is about, else English."""
    preferred = str((record or {}).get("language") or "").partition("-")[0].lower()
    if len(text.split()) < 3 and preferred in _DAYS:
        return preferred  # too short to tell
    found = language_of(text)
    if found in (None, "en") and preferred in _DAYS and "lead_" in text:
        return preferred  # written by a colleague, about somebody else
    return found or "en"


def say(language: str, phrase: str, **facts: object) -> str:
    """Return a phrase in a language with its facts."""
    return _TEXTS[phrase][language].format(**facts)


def moment(language: str, at: datetime) -> str:
    """Return a time as people write it, on the clock of its zone."""
    return _MOMENT[language].format(
        weekday=_DAYS[language].split()[at.weekday()],
        day=at.day,
        month=_MONTHS[language].split()[at.month - 1],
        time=f"{at:%H:%M}",
        zone=at.tzinfo,
    )
