# ruff: noqa: RUF001  (words of many languages)
"""Which locale names are from, and which language text is in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from dbsynth.identifiers.faker import DEFAULT_LOCALE, given_and_family, known_locale

_LOCALES = (
    "en_US", "de_DE", "fr_FR", "es_ES", "pt_BR", "pl_PL", "it_IT", "nl_NL", "sv_SE", "da_DK",
    "no_NO", "fi_FI", "cs_CZ", "sk_SK", "hu_HU", "ro_RO", "hr_HR", "sl_SI", "tr_TR", "et_EE",
    "lt_LT", "lv_LV", "is_IS", "id_ID", "vi_VN", "el_GR", "ru_RU", "uk_UA", "bg_BG", "ja_JP",
    "zh_CN", "zh_TW", "ko_KR", "ar_AA", "fa_IR", "he_IL", "hi_IN", "th_TH", "ka_GE", "hy_AM",
    "en_IN", "az_AZ", "uz_UZ", "ta_IN", "ne_NP",
)  # fmt: skip
_FEWEST = 8  # names, below which nothing is told from them
_LEAST = 0.35  # of the names, found in the vocabulary
_MARGIN = 1.15  # better than English, of which there are most names


def locale_of_names(names: Sequence[str]) -> str:
    """The locale in whose vocabulary most of the names are; that of the US where none stands out.

    Args:
        names: Given and family names, or both in one.
    """
    words = Counter(word for name in names for word in re.split(r"[\s,.\-]+", name.casefold())
                    if len(word) > 1)  # fmt: skip
    total = sum(words.values())
    if len(words) < _FEWEST:
        return DEFAULT_LOCALE
    shares = {}
    for locale in _LOCALES:
        known = given_and_family(locale)
        shares[locale] = sum(n for word, n in words.items() if word in known) / total
    best = max(_LOCALES, key=lambda locale: shares[locale])
    strong = shares[best] >= _LEAST and shares[best] > _MARGIN * shares[DEFAULT_LOCALE]
    return best if strong else DEFAULT_LOCALE


_SMALL = {
    "en_US": "the of and to in is was for with that on this are not be have you it at by from",
    "de_DE": "der die das und ist nicht ein eine mit von auf für zu den im sich wird auch des dem",
    "fr_FR": "le la les et des est une dans pour que qui pas sur avec du au ce plus par nous",
    "es_ES": "el la los las y de que en un una por con para no es se del al lo como más",
    "pt_BR": "o a os as e de que em um uma por com para não é se do da no na mais",
    "it_IT": "il la le gli e di che in un una per con non è si del della al sono più",
    "nl_NL": "de het een en van is in op te dat niet met voor zijn aan er ook bij door",
    "pl_PL": "i w na z do nie się jest to że o jak po za od przez dla przy ma są",
    "sv_SE": "och i att det som en på är av för med den till inte om har ett var",
    "da_DK": "og i at det som en på er af for med den til ikke om har et var de",
    "cs_CZ": "a se v na je že s z do o k pro jsem jako ale by od za po jsou",
    "tr_TR": "ve bir bu için ile çok da de ne ama gibi daha olarak var olan",
    "ru_RU": "и в не на что я с он а как это по но из у за от для",
    "ja_JP": "", "zh_CN": "", "ar_AA": "", "el_GR": "", "he_IL": "", "ko_KR": "", "th_TH": "",
    "hi_IN": "",
}  # fmt: skip
_SCRIPTS = {
    "ja_JP": r"[\u3040-\u30ff]", "ko_KR": r"[\uac00-\ud7a3]", "zh_CN": r"[\u4e00-\u9fff]",
    "ru_RU": r"[\u0400-\u04ff]", "el_GR": r"[\u0370-\u03ff]", "ar_AA": r"[\u0600-\u06ff]",
    "he_IL": r"[\u0590-\u05ff]", "th_TH": r"[\u0e00-\u0e7f]", "hi_IN": r"[\u0900-\u097f]",
}  # fmt: skip
_TEXTS = 300
_SPOKEN = 0.06  # of the words of a text are such small ones
_WRITTEN = 0.3  # of the letters are of such a script


def language_of(texts: Sequence[str], otherwise: str) -> str:
    """A locale of the language that texts are in: by their script, else by their small words."""
    whole = " ".join(texts[:_TEXTS])
    letters = max(sum(c.isalpha() for c in whole), 1)
    for locale, pattern in _SCRIPTS.items():
        if len(re.findall(pattern, whole)) > _WRITTEN * letters:
            return _nearest(locale, otherwise)
    words = Counter(re.findall(r"[^\W\d_]+", whole.casefold()))
    total = sum(words.values())
    if total < _FEWEST:
        return otherwise
    shares = {locale: sum(words[word] for word in small) / total
              for locale, small in _small_words().items()}  # fmt: skip
    best = max(shares, key=lambda locale: shares[locale])
    return _nearest(best, otherwise) if shares[best] > _SPOKEN else otherwise


def _nearest(found: str, otherwise: str) -> str:
    """The known locale, where it speaks the language that was found."""
    same = known_locale(otherwise).partition("_")[0] == found.partition("_")[0]
    return otherwise if same else found


@lru_cache(maxsize=1)
def _small_words() -> dict[str, frozenset[str]]:
    """Small words, those left out that several languages have."""
    lists = {locale: text.split() for locale, text in _SMALL.items() if text}
    seen = Counter(word for words in lists.values() for word in words)
    return {locale: frozenset(w for w in words if seen[w] < 3) for locale, words in lists.items()}
