"""Names for some thousand sites: towns of Japan, and the location of a shop in the town."""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple


class DemoShop(NamedTuple):
    code: str
    name: str
    name_ja: str
    region: str


TOWNS = {
    "Hokkaido": "SPR Sapporo 札幌, HKD Hakodate 函館, ASH Asahikawa 旭川, OBH Obihiro 帯広, KSR Kushiro 釧路",
    "Tohoku": (
        "SDJ Sendai 仙台, AOM Aomori 青森, MRK Morioka 盛岡, AKT Akita 秋田, YMG Yamagata 山形, KRY Koriyama 郡山"
    ),
    "Kanto": (
        "SJK Shinjuku 新宿, SBY Shibuya 渋谷, IKB Ikebukuro 池袋, UEN Ueno 上野, YKH Yokohama 横浜, "
        "KWS Kawasaki 川崎, OMY Omiya 大宮, CHB Chiba 千葉, KSW Kashiwa 柏, TCK Tachikawa 立川, "
        "MTO Mito 水戸, UTM Utsunomiya 宇都宮, TKS Takasaki 高崎"
    ),
    "Chubu": (
        "NGY Nagoya 名古屋, SZO Shizuoka 静岡, HMM Hamamatsu 浜松, NGT Niigata 新潟, KNZ Kanazawa 金沢, "
        "TYM Toyama 富山, NGN Nagano 長野, MTM Matsumoto 松本, GIF Gifu 岐阜"
    ),
    "Kansai": (
        "UMD Umeda 梅田, NMB Namba 難波, TNJ Tennoji 天王寺, KYT Kyoto 京都, SNM Sannomiya 三宮, "
        "HMJ Himeji 姫路, NRA Nara 奈良"
    ),
    "Chugoku": (
        "HRS Hiroshima 広島, OKY Okayama 岡山, KRS Kurashiki 倉敷, TTR Tottori 鳥取, MTE Matsue 松江, FKY Fukuyama 福山"
    ),
    "Shikoku": "TKM Takamatsu 高松, MYM Matsuyama 松山, KCH Kochi 高知, TKU Tokushima 徳島",
    "Kyushu": (
        "HKT Hakata 博多, TNN Tenjin 天神, KKR Kokura 小倉, KMM Kumamoto 熊本, NGS Nagasaki 長崎, "
        "OIT Oita 大分, MYZ Miyazaki 宮崎, KGS Kagoshima 鹿児島, NHA Naha 那覇"
    ),
}
"""Code and names of each, by region."""
QUARTERS = (
    ("Station", "駅"),
    ("South", "南口"),
    ("North", "北口"),
    ("East", "東口"),
    ("West", "西口"),
    ("Centre", "中央"),
    ("Harbour", "港"),
    ("Airport", "空港"),
)


def shops() -> Iterator[DemoShop]:
    """Endless: first every town's station, at last every town's nth shop at its airport."""
    for number in count():
        turn, quarter = divmod(number, len(QUARTERS))
        english, japanese = (f"{name} {turn + 1}" if turn else name for name in QUARTERS[quarter])
        for region, towns in TOWNS.items():
            for code, name, name_ja in map(str.split, towns.split(", ")):
                yield DemoShop(f"{code}{number + 1}", f"{name} {english}", f"{name_ja}{japanese}", region)
