"""Names for the demo data: people of several languages, companies, places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Locale:
    """Where people of one country live and what they are called."""

    language: str
    timezone: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    cities: tuple[tuple[str, str, str], ...]
    """City, state, postal code."""
    streets: tuple[str, ...]
    phone: str
    """E.164 with ``#`` for a digit to draw."""


LOCALES: Mapping[str, Locale] = {
    "US": Locale(
        "en-US",
        "America/New_York",
        (
            "Grace",
            "Marcus",
            "Emily",
            "Tyrone",
            "Hannah",
            "Caleb",
            "Naomi",
            "Derek",
            "Priya",
            "Kevin",
            "Olivia",
            "Jamal",
        ),
        (
            "Walker",
            "Nguyen",
            "O'Brien",
            "Patel",
            "Johnson",
            "Rivera",
            "Kim",
            "Brooks",
            "Washington",
            "Cohen",
            "Fitzgerald",
        ),
        (
            ("New York", "NY", "10013"),
            ("Chicago", "IL", "60607"),
            ("Austin", "TX", "78701"),
            ("Seattle", "WA", "98101"),
        ),
        ("Broadway", "Market Street", "Lake Avenue", "5th Avenue"),
        "+1212555####",
    ),
    "GB": Locale(
        "en-GB",
        "Europe/London",
        ("Imogen", "Rhys", "Saoirse", "Alistair", "Zara", "Callum", "Beatrice", "Idris"),
        ("Whitfield", "MacLeod", "Ó Briain", "Hargreaves", "Okafor", "Llewellyn", "Ashworth", "Singh"),
        (("London", "", "EC2A 4NE"), ("Manchester", "", "M1 4BT"), ("Edinburgh", "", "EH2 2ER")),
        ("High Street", "Victoria Road", "King's Parade"),
        "+442079460###",
    ),
    "DE": Locale(
        "de-DE",
        "Europe/Berlin",
        ("Jürgen", "Anneliese", "Björn", "Käthe", "Thorsten", "Sörine", "Lukas", "Franziska", "Mehmet", "Heike"),
        ("Müller", "Schäfer", "Groß", "Weiß", "Köhler", "von Bülow", "Yıldız", "Schröder", "Jäger", "Brandt"),
        (("Berlin", "Berlin", "10115"), ("München", "Bayern", "80331"), ("Köln", "Nordrhein-Westfalen", "50667")),
        ("Hauptstraße", "Goethestraße", "Am Mühlbach"),
        "+49301234####",
    ),
    "FR": Locale(
        "fr-FR",
        "Europe/Paris",
        ("Zoé", "François", "Anaïs", "Benoît", "Héloïse", "Loïc", "Chloé", "Théo"),
        ("Lefèvre", "Dupré", "Géraud", "Béranger", "Châtelain", "N'Diaye", "Moreau", "Le Goff"),
        (("Paris", "Île-de-France", "75011"), ("Lyon", "Auvergne-Rhône-Alpes", "69002")),
        ("Rue de la République", "Avenue Foch"),
        "+331405060##",
    ),
    "ES": Locale(
        "es-ES",
        "Europe/Madrid",
        ("Íñigo", "Begoña", "Andrés", "Lucía", "José María", "Nuria", "Óscar", "Inés"),
        ("Muñoz", "García Márquez", "Núñez", "Ibáñez", "Peña", "Echeverría", "Sánchez", "Castaño"),
        (("Madrid", "Madrid", "28013"), ("Sevilla", "Andalucía", "41001"), ("Bilbao", "País Vasco", "48009")),
        ("Calle Mayor", "Gran Vía", "Paseo de la Castellana"),
        "+349101234##",
    ),
    "PL": Locale(
        "pl-PL",
        "Europe/Warsaw",
        ("Łukasz", "Małgorzata", "Grzegorz", "Żaneta", "Paweł", "Agnieszka"),
        ("Wójcik", "Kowalska", "Dąbrowski", "Łuczak", "Zieliński", "Święcicka"),
        (("Warszawa", "mazowieckie", "00-001"), ("Kraków", "małopolskie", "31-001")),
        ("ul. Długa", "ul. Świętokrzyska"),
        "+4822123####",
    ),
    "SE": Locale(
        "sv-SE",
        "Europe/Stockholm",
        ("Åsa", "Göran", "Linnéa", "Håkan", "Märta", "Torbjörn"),
        ("Lindström", "Åkesson", "Söderberg", "Öberg", "Nyström", "Hjälm"),
        (("Stockholm", "", "111 22"), ("Göteborg", "", "411 03")),
        ("Storgatan", "Kungsgatan"),
        "+46812345##",
    ),
    "BR": Locale(
        "pt-BR",
        "America/Sao_Paulo",
        ("João", "Conceição", "Thaís", "Antônio", "Luís", "Verônica"),
        ("Gonçalves", "Araújo", "Magalhães", "da Conceição", "Simões", "Brandão"),
        (("São Paulo", "SP", "01310-100"), ("Curitiba", "PR", "80010-000")),
        ("Avenida Paulista", "Rua das Flores"),
        "+551130####00",
    ),
}


@dataclass(frozen=True, slots=True)
class Company:
    """A company that exists only here; its domain ends in ``.example`` (RFC 2606)."""

    name: str
    domain: str
    industry: str
    country: str
    employees: int


def _companies(lines: str) -> tuple[Company, ...]:
    rows = [[cell.strip() for cell in line.split("|")] for line in lines.strip().splitlines()]
    return tuple(
        Company(name, f"{host}.example", industry, country, int(size)) for name, host, industry, country, size in rows
    )


COMPANIES: tuple[Company, ...] = _companies("""
    Nordlicht Logistik GmbH   | nordlicht-logistik | logistics     | DE | 420
    Brückner & Söhne KG       | brueckner-soehne   | manufacturing | DE | 85
    Käsehaus Allgäu           | kaesehaus          | food          | DE | 32
    Weißdorn Verlag           | weissdorn          | media         | DE | 48
    Rheinwerk Automation AG   | rheinwerk          | manufacturing | DE | 2100
    Solaris Energie           | solaris-energie    | energy        | DE | 310
    Hudson Analytics          | hudson-analytics   | software      | US | 160
    Blue Mesa Robotics        | bluemesa           | manufacturing | US | 540
    Lakeshore Health Partners | lakeshorehealth    | healthcare    | US | 3800
    Copperline Bank           | copperline         | finance       | US | 9200
    Fernwood Outfitters       | fernwood           | retail        | US | 75
    Tallgrass Foods           | tallgrass          | food          | US | 640
    Beacon Street Legal       | beaconstreet       | legal         | US | 58
    Juniper Cloudworks        | junipercloud       | software      | US | 27
    Sierra Solar Supply       | sierrasolar        | energy        | US | 190
    Pinewood Schools Trust    | pinewood           | education     | US | 1250
    Redbrick Realty           | redbrick           | real estate   | US | 44
    Quantum Lantern           | quantumlantern     | software      | US | 12
    Pemberton Freight         | pemberton          | logistics     | GB | 350
    Clachan Distillers        | clachan            | food          | GB | 66
    Harrow & Vale LLP         | harrowvale         | legal         | GB | 210
    Thistle Insurance         | thistle            | finance       | GB | 1400
    Maison Lefort             | maisonlefort       | retail        | FR | 95
    Atelier Données           | atelier-donnees    | software      | FR | 38
    Énergie du Rhône          | energie-rhone      | energy        | FR | 880
    Clinique Beauséjour       | beausejour         | healthcare    | FR | 260
    Bodegas Peñalba           | penalba            | food          | ES | 54
    Ibérica Transporte        | iberica            | logistics     | ES | 730
    Estudio Muñiz             | muniz              | media         | ES | 19
    Hospital del Río          | hospitaldelrio     | healthcare    | ES | 2400
    Wisła Software            | wisla              | software      | PL | 140
    Żubr Budownictwo          | zubr               | construction  | PL | 410
    Skog & Sjö AB             | skogsjo            | retail        | SE | 120
    Ångström Instruments      | angstrom           | manufacturing | SE | 290
    Malmqvist Bygg            | malmqvist          | construction  | SE | 88
    Café Serrana              | cafeserrana        | food          | BR | 150
    Paraná Agro               | parana-agro        | agriculture   | BR | 1900
    Luz & Som Produções       | luzesom            | media         | BR | 23
    Innovation Inc            | innovation         | software      | US | 230
    Acme Corp                 | acmecorp           | manufacturing | US | 1100
""")

TITLES: tuple[tuple[str, str], ...] = (
    ("CEO", "Management"),
    ("CTO", "Technology"),
    ("CFO", "Finance"),
    ("VP Sales", "Sales"),
    ("Head of Operations", "Operations"),
    ("Procurement Manager", "Purchasing"),
    ("IT Manager", "Technology"),
    ("Marketing Director", "Marketing"),
    ("Office Manager", "Administration"),
    ("Software Engineer", "Technology"),
    ("Consultant", "Operations"),
    ("Founder", "Management"),
)

TAGS = (
    "decision-maker",
    "technical",
    "founder",
    "vip",
    "newsletter",
    "partner",
    "trade-fair",
    "renewal",
    "Köln 2026",
    "AI",
)
SOURCES = (
    "website",
    "website",
    "website",
    "referral",
    "referral",
    "social",
    "advertising",
    "email",
    "event",
    "phone",
    "partner",
    "import",
    "api",
)
CAMPAIGNS = ("spring-launch", "webinar-series", "trade-fair-hannover", "black-friday")
OFFERINGS = ("Starter", "Team", "Enterprise", "Analytics add-on", "Onboarding", "Premium support")
OFFERS: Mapping[str, str] = {
    "Starter": "{company} begins with five seats for {name}'s team, and wants to see results within a quarter.",
    "Team": "One workspace for sales and support of {company}; {name} wants both to see the same history.",
    "Enterprise": "All departments of {company}, with single sign-on and a review of security that {name} leads.",
    "Analytics add-on": "Forecasts and win rates for the board of {company}; {name} uses spreadsheets today.",
    "Onboarding": "Import of three old systems and two days of training for the people of {company}.",
    "Premium support": "{company} needs an answer within an hour, also at weekends; {name} has asked for references.",
}
"""What a deal about each of them is described as."""
