"""The invented vocabularies of the shop."""

from __future__ import annotations

FIRST_NAMES = (
    "Alba", "Anselm", "Birte", "Bruno", "Carla", "Casimir", "Dalia", "Dario", "Edda", "Elio",
    "Fenja", "Florin", "Greta", "Gustav", "Hedda", "Henri", "Ilka", "Ivo", "Jana", "Jorin",
    "Kaia", "Korbin", "Leta", "Linus", "Maren", "Milo", "Nele", "Nils", "Oda", "Orlan",
    "Paula", "Piet", "Quirin", "Ragna", "Rufus", "Selma", "Silas", "Tilda", "Tore", "Ulla",
    "Viggo", "Wanda", "Xenia", "Yann", "Zoe",
)  # fmt: skip
LAST_NAMES = tuple(
    head + tail
    for head in ("Alder", "Birken", "Dorn", "Eschen", "Falken", "Hasel", "Linden", "Moor", "Stein")
    for tail in ("bach", "berg", "feld", "hain", "hoff", "mark", "rode", "wald")
)
CITIES = (
    "Norvik", "Estara", "Lomahafen", "Quellstadt", "Oberlund", "Tarnow Bay", "Silbersee",
    "Marndal", "Westerquay", "Port Ilse", "Hohenkamp", "Vinterby",
)  # fmt: skip
STREETS = ("Mill Lane", "Harbour Street", "Elm Row", "Station Road", "Castle Steps", "Orchard Way")
MAIL_DOMAINS = ("post.example", "mail.example", "inbox.example", "brief.example")

# The tree of categories, and a typical price of what is sold under each root.
CATEGORIES: dict[str, tuple[float, tuple[str, ...]]] = {
    "Stationery": (6.0, ("Notebooks", "Pens", "Envelopes", "Calendars")),
    "Kitchen": (28.0, ("Knives", "Pans", "Teapots", "Scales")),
    "Garden": (35.0, ("Seeds", "Tools", "Pots", "Lanterns")),
    "Toys": (18.0, ("Puzzles", "Blocks", "Kites", "Puppets")),
    "Books": (14.0, ("Novels", "Atlases", "Cookbooks", "Poetry")),
    "Sound": (120.0, ("Headphones", "Radios", "Turntables")),
    "Light": (55.0, ("Desk lamps", "Ceiling lamps", "Candles")),
    "Bicycles": (420.0, ("City bicycles", "Touring bicycles", "Bicycle parts")),
}
ADJECTIVES = (
    "Plain",
    "Folding",
    "Quiet",
    "Blue",
    "Sturdy",
    "Little",
    "Bright",
    "Classic",
    "Nordic",
)
COLOURS = ("black", "white", "blue", "green", "red")
MATERIALS = ("wood", "steel", "paper", "glass", "cotton")
SUPPLIER_HEADS = ("Amberg", "Bluestone", "Corvin", "Dovetail", "Everlund", "Fernhill", "Grauwerk")
SUPPLIER_TAILS = ("Works", "Trading", "Supply", "Brothers", "Goods", "Makers")
PRAISE = ("Lovely", "Just right", "Would buy again", "Very solid", "A fine present")
BLAME = ("Broke at once", "Not as shown", "Far too late", "Sent it back", "Poor finish")
GIFT_NOTES = ("Happy birthday!", "With love", "Thank you for everything", "Get well soon")
