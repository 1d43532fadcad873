"""What a text is written in, and which of its lines its sender wrote."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from ..data.queries.query import fold

_COMMON: Mapping[str, str] = {
    "en": "a an the is are was were be been we you i it they he she my our your and or for of to with have has had "
    "this that these please would could should can will not do does did don didn t s from at by as if when what how "
    "who there here thanks thank hello hi but so just any all some see",
    "de": "der die das den dem des ist sind war waren wir sie ich es ihr ihre unser unsere und oder fur von mit nicht "
    "kein keine ein eine einen einem zu zum zur bei auf im am als wie wenn dass bitte danke hallo haben hat wurde auch "
    "noch schon sehr aber so mir uns",
    "es": "el la los las es son esta estan estamos fue de del que para con por una un no su sus se lo le al y o pero "
    "como muy mas nos este esta ese todo todos hay tiene gracias hola buenos dias ya cuando favor usted mi",
    "fr": "le la les est sont nous vous je il elle et ou pour avec pas ne que qui dans sur des du un une au aux ce "
    "cette merci bonjour c tres mais mon notre votre tout suis sommes avons de l d",
    "it": "il lo la gli le e sono siamo di del della che per con non un una si ci questo questa grazie ciao ma molto "
    "anche al alla nel nella stato tutto ho abbiamo nostro",
    "pt": "o a os as e sao esta estamos de do da dos das que para com por um uma nao se no na em este isso muito mas "
    "obrigado obrigada ola voce nos foi tudo mais seu sua",
    "nl": "de het een is zijn we wij u ik en of voor met niet geen van op te aan bij dat die dit bedankt dank hallo "
    "maar zeer heel ons onze onze wordt naar ook er",
    "sv": "och att det som en ett ar vi ni jag for med inte av pa till den har tack hej men mycket var allt sa fran om",
    "da": "og at det som en et er vi jeg for med ikke af pa til den har tak hej men meget var alt fra om du",
    "pl": "i w na z do nie to jest sa sie ze my pan pani dla od za dziekuje prosze dzien dobry ale bardzo jak co",
    "fi": "ja on ei se han me te oli etta mutta niin kuin ole tama kiitos hei olen olemme kanssa hyva meille",
    "hu": "es a az egy nem van hogy de meg is ez azt koszonom nagyon mi csak szia",
    "cs": "je na se to v ze s do pro ale jsem jsme dekuji dobry den prosim velmi neni",
    "ro": "si este sunt nu cu pe la din care mai foarte multumesc buna pentru un o",
    "tr": "ve bir bu icin ile cok degil biz siz ben da de tesekkurler merhaba ama var yok daha",
}
"""The common words of languages, folded. The first three are those that texts are judged and answered in."""
_KNOWN = ("en", "de", "es")
_LISTS = {code: frozenset(words.split()) for code, words in _COMMON.items()}
_LETTERS = re.compile(r"[a-z]+")
_WROTE = re.compile(
    r"(?:on|am|el|le)\b.{4,200}\b(?:wrote|schrieb\b.{0,100}|escribio|a ecrit) ?:"
    r"|-{2,} ?(?:original message|forwarded message|ursprungliche nachricht|weitergeleitete nachricht"
    r"|mensaje original|mensaje reenviado).*|begin forwarded message:.*|anfang der weitergeleiteten.*"
)
"""The line before a message that is quoted."""
_FROM = re.compile(r"\*?(?:from|von|de):")
_HEADER = re.compile(r"\*?(?:sent|date|to|subject|gesendet|datum|an|betreff|enviado|fecha|para|asunto):")
_AUTOMATIC = re.compile(
    r"\b(?:automatic reply|auto ?-?reply|automatische antwort|abwesenheitsnotiz|respuesta automatica)\b"
    r"|\b(?:out of (?:the |my )?office|on (?:annual |parental |sick )?(?:leave|vacation|holiday)"
    r"|nicht im (?:buro|haus)|im urlaub|abwesend|fuera de (?:la |mi )?oficina|de vacaciones)\b"
    r".{0,80}\b(?:until|till|return|back|from|limited|bis|zuruck|ab|hasta|regres\w*|vuelv\w*|desde)\b"
    r"|\b(?:bis|hasta|until) .{0,40}\b(?:nicht im (?:buro|haus)|im urlaub|abwesend|out of (?:the |my )?office)\b"
)


@lru_cache(maxsize=1024)
def language_of(text: str) -> str | None:
    """Return the language of a text: ``en``, ``de``, ``es``, or None for another one."""
    letters = [letter for letter in text if letter.isalpha()]
    if letters and sum(letter > "\u024f" for letter in letters) > len(letters) / 2:
        return None  # another script than ours
    words = Counter(_LETTERS.findall(fold(text)))
    counts = {code: sum(words[word] for word in known & words.keys()) for code, known in _LISTS.items()}
    best = max(counts, key=lambda code: counts[code])
    if not counts[best] or (counts[best] == 1 and best not in _KNOWN):
        return "en"  # notes in key words: where they are another language's, the lists of moods know none of them
    return best if best in _KNOWN else None


@lru_cache(maxsize=1024)
def own_words(text: str) -> str:
    """Return a text without the lines that it quotes or forwards: others wrote them."""
    if "\n" not in text and not text.startswith(">"):
        return text
    lines, kept = text.splitlines(), list[str]()
    for number, line in enumerate(lines):
        plain = fold(line[:300]).strip()
        following = next((after.lstrip() for after in lines[number + 1 : number + 4] if after.strip()), "")
        if plain.startswith(">"):
            continue
        if _WROTE.fullmatch(plain):
            if following.startswith(">"):
                continue  # an answer may stand below, or between
            break
        if _FROM.match(plain) and _HEADER.match(fold(following[:20])):
            break
        kept.append(line)
    return "\n".join(kept)


@lru_cache(maxsize=1024)
def is_automatic(text: str) -> bool:
    """Return whether a text is what a mailbox answers by itself while its owner is away."""
    return _AUTOMATIC.search(fold(own_words(text)[:2_000]).replace("\n", " ")) is not None
