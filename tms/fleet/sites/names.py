"""Names in two languages."""

from typing import NamedTuple

from django.utils.translation import get_language


class Bilingual(NamedTuple):
    """A name in English and, if it has one, in Japanese; shown in the language of the viewer."""

    en: str
    ja: str

    def __str__(self) -> str:
        return self.ja if self.ja and get_language() == "ja" else self.en
