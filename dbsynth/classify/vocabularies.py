"""Public vocabularies: countries, languages, currencies, colours, days. They give nobody away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from dbsynth.identifiers.faker import known_countries, public_codes

_MOST = 0.8
_PROBED = 20
_LISTS = """
red green blue black white grey gray brown orange yellow purple pink violet gold silver beige cyan magenta turquoise navy teal maroon olive
rot grün blau schwarz weiß grau braun gelb lila rosa rouge vert bleu noir blanc gris marron jaune rosé rojo verde azul negro blanco amarillo
marrón morado vermelho preto branco cinza amarelo roxo marrom czerwony zielony niebieski czarny biały szary brązowy żółty rosso blu nero bianco
grigio giallo viola rood groen blauw zwart wit grijs bruin geel paars
monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun montag dienstag mittwoch donnerstag freitag samstag sonntag
lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo segunda terça quarta quinta sexta
poniedziałek wtorek środa czwartek piątek sobota niedziela lunedì martedì mercoledì giovedì venerdì sabato domenica maandag dinsdag woensdag
donderdag vrijdag zaterdag zondag
january february march april may june july august september october november december jan feb mar apr jun jul aug sep oct nov dec
januar februar märz mai juni juli oktober dezember janvier février mars avril juin juillet août septembre octobre novembre décembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre janeiro fevereiro março maio junho julho setembro
outubro novembro dezembro styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień gennaio febbraio
aprile maggio giugno luglio settembre ottobre dicembre januari februari maart mei augustus
english german french spanish portuguese polish italian dutch russian chinese mandarin japanese arabic hindi korean turkish swedish danish
norwegian finnish greek czech hungarian romanian ukrainian hebrew thai vietnamese indonesian malay bengali urdu persian latin catalan
deutsch englisch französisch spanisch italienisch polnisch allemand anglais français espagnol alemán inglés francés español
africa asia europe north_america south_america oceania antarctica america
uk usa u.s.a. u.k. united_states united_kingdom great_britain england scotland wales northern_ireland russia south_korea north_korea
czech_republic vietnam iran syria bolivia venezuela tanzania moldova laos taiwan macedonia holland the_netherlands ivory_coast hong_kong macau
palestine kosovo burma turkey micronesia brunei cape_verde swaziland falkland_islands virgin_islands west_indies yugoslavia ussr
middle_east midwest northeast southeast northwest southwest latin_america americas emea apac
spring summer autumn fall winter north south east west small medium large
"""


@lru_cache(maxsize=1)
def known_places() -> frozenset[str]:
    """Names and codes of countries, case-folded."""
    return known_countries() | public_codes("countries")


@lru_cache(maxsize=1)
def _public() -> frozenset[str]:
    words = frozenset(word.replace("_", " ") for word in _LISTS.split())
    return words | known_places() | public_codes("currencies") | public_codes("regions")


def is_vocabulary(texts: Sequence[str], least: float = _MOST) -> bool:
    """Whether so large a share of the texts are words of a public vocabulary."""
    public = _public()
    if 2 * sum(text.strip().casefold() in public for text in texts[:_PROBED]) < len(
        texts[:_PROBED]
    ):
        return False
    found = sum(text.strip().casefold() in public for text in texts)
    return bool(texts) and found > least * len(texts)
