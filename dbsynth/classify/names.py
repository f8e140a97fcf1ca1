"""What the names of tables and columns say.

In English, German, French, Spanish, Portuguese and Polish.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


_LONG = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O"})

IDENTIFYING = re.compile(
    r"name|e_?mail|phone|mobile|fax|addr|street|ssn|social_?sec|passport|iban|card|account"
    r"|(^|_)ip(_|$)|ipaddr|url|token|password|passwd|secret|api_?key|birth_?place|licen[cs]e"
    r"|vat|tax_?id|login|nick",
    re.IGNORECASE,
)
"""Names of columns whose vocabulary is not shown when it is large, whatever the values."""

_CONCEPTS: dict[str, str] = {
    "first_name": """first name|fname|f name|given name|given|forename|fore name|middle name
        |mname|vorname
        |rufname|prenom|primer nombre|nombres|nombre pila|primeiro nome|imie|voornaam|middle initial
        |name first|name given|first names|prenoms|segundo nombre|drugie imie|middle""",
    "last_name": """last name|lname|l name|surname|sur name|family name|maiden name|nachname
        |familienname
        |geburtsname|nom famille|nom usage|nom naissance|apellido|apellidos|apellido paterno
        |apellido materno|sobrenome|ultimo nome|apelido|nazwisko|nazwisko panienskie|cognome
        |achternaam|name last|name family|second name|patronymic|lastnames""",
    "full_name": """full name|complete name|real name|legal name|contact name|person name
        |display name
        |vollname|voller name|vor und nachname|ansprechpartner|nom complet|nom prenom
        |nombre completo
        |nombre y apellidos|nome completo|imie nazwisko|imie i nazwisko|card holder|cardholder
        |holder name|account holder|kontoinhaber|beneficiary|given by|payee|salesperson|sales rep
        |recipient name|sender name|signatory|next of kin|spouse|mother name|father name
        |emergency contact""",
    "email": """email|e mail|mail|mail address|email address|email addr|emailadresse|mailadresse
        |email adresse|courriel|adresse mail|correo|correo electronico|endereco email|poczta
        |adres email|adres e mail|emails""",
    "user_name": """user name|username|uname|login|login name|user login|nick|nickname|nick name
        |screen name|benutzername|benutzer name|anmeldename|nom utilisateur|identifiant|pseudo
        |pseudonyme|nombre usuario|nome usuario|usuario login|nazwa uzytkownika|handle|account name
        |user handle|alias email|skype|twitter|twitter handle|instagram|facebook|linkedin|github
        |gravatar|name user""",
    "phone": """phone|telephone|tel|telefon|telefono|telefone|telephone number|phone number|phone no
        |phone num|telefonnummer|mobile|mobile phone|mobile number|mobil|mobilnummer|handy
        |handynummer
        |handy nr|cell|cell phone|cellphone|cell number|cell mobile phone|fax|fax number|faxnummer
        |telefax|numero telephone|portable|movil|celular|celular numero|telemovel|komorka
        |numer telefonu|nr telefonu|telefon komorkowy|tel no|tel number|phone1|hot line
        |contact number
        |contact no|phones|telefon nr|telno|gsm|telefonnr|ddd|fone""",
    "street_address": """address|addr|street|street name|street address|address line|addr line
        |mailing address|home address|billing address|shipping address|ship address|postal address
        |address street|adresse|anschrift|strasse|strassenname|hausnummer|lieferadresse
        |rechnungsadresse|rue|voie|adresse postale|direccion|calle|domicilio|endereco|logradouro|rua
        |morada|adres|ulica|adres zamieszkania|indirizzo|via|line 1|street line|address details
        |address1|street1|full address|delivery address|residence|house number|building number
        |address line 1|line 1 number building|number building|location address""",
    "street_extra": """address line 2|address 2|addr line 2|addr 2|street 2|street line 2|line 2
        |line 3
        |address line 3|address 3|apartment|apt|suite|complement|complemento|adresszusatz
        |complement adresse|piso|numer mieszkania|line 2 number street|line 3 area locality""",
    "postcode": """zip|zip code|zipcode|zip postcode|postal code|postcode|post code|postalcode|plz
        |postleitzahl|code postal|codigo postal|cep|kod pocztowy|pin code|cap|zip postal""",
    "city": """city|town|city name|town name|town city|stadt|ort|wohnort|ortschaft|gemeinde|ville
        |commune|localite|ciudad|localidad|poblacion|municipio|cidade|miasto|miejscowosc|gmina
        |municipality|birth place|birthplace|place of birth|place birth|geburtsort|lieu naissance
        |lugar nacimiento|local nascimento|naturalidade|miejsce urodzenia|home town|hometown|suburb
        |village|city town|locality|city area""",
    "region": """state|province|county|region|state province|state name|province name|bundesland
        |kanton|departement|provincia|comunidad|wojewodztwo|powiat|state county province
        |county state province|federal state|territory|district|stan""",
    "country": """country|country name|nation|land|staat|pays|pais|kraj|country region
        |country of birth|country birth|birth country|herkunftsland|home country""",
    "company": """company|company name|firm|firma|firmenname|unternehmen|employer|arbeitgeber
        |organisation|organization|organisation name|organization name|org name|supplier name
        |vendor name|manufacturer name|publisher name|business name|entreprise|societe
        |raison sociale|nom entreprise|employeur|empresa|razon social|nome empresa|razao social
        |przedsiebiorstwo|nazwa firmy|pracodawca|supplier|vendor|lieferant|fournisseur|proveedor
        |fornecedor|dostawca|bank name|hospital name|school name|institution name|institution""",
    "job": """job title|occupation|profession|beruf|job|metier|profissao|cargo|profesion|zawod
        |stanowisko|puesto""",
    "url": """url|uri|website|web site|homepage|home page|link|href|webseite|site web|sitio web
        |pagina web|strona www|www|web page|webpage|image url|avatar|avatar url|photo url|links
        |web|callback|redirect to|site url""",
    "ip": """ip|ip address|ip addr|ipaddr|ipaddress|remote addr|remote ip|client ip|adresse ip
        |ip adresse|direccion ip|adres ip|ipv4|ipv6|remote address|last ip""",
    "mac": "mac|mac address|mac addr|macaddr",
    "uuid": "uuid|guid|rowguid",
    "iban": "iban|iban number|iban nr",
    "bank_account": """account number|account no|account nr|account num|bank account
        |bank account number
        |acct no|acct number|acct|acct num|kontonummer|konto|konto nr|kontonr|bankverbindung|bic
        |numero compte|compte bancaire|numero de compte|cuenta|numero cuenta|cuenta bancaria
        |numero de cuenta|conta|numero conta|conta bancaria|numer konta|nr konta|rachunek
        |numer rachunku|routing number|sort code|account to|swift|account""",
    "card": """card number|card no|card nr|card num|credit card|credit card number|creditcard
        |cc number
        |cc num|ccnum|credit card no|debit card|kartennummer|kreditkarte|kreditkartennummer
        |numero carte|carte bancaire|carte credit|tarjeta|numero tarjeta|tarjeta credito
        |numero cartao|cartao|cartao credito|numer karty|karta|nr karty|pan|library card
        |card id number""",
    "national_id": """ssn|social security|social security number|social sec|national id
        |national number
        |national identifier|national id number|nationalid|passport|passport number|passport no
        |passport num|id card|identity card|identity number|insurance number|nino|tax id|taxid
        |tax number|tax no|tin|ein|vat|vat id|vat number|vat no|vatin|ust id|ustid|steuernummer
        |steuer id|steuerid|sozialversicherungsnummer|ausweisnummer|personalausweis|reisepass
        |reisepassnummer|versicherungsnummer|numero securite sociale|securite sociale|nir|insee
        |siret|siren|passeport|numero passeport|carte identite|dni|nif|nie|cif|curp|rfc|cuit|cuil
        |rut|pasaporte|numero pasaporte|cedula|seguridad social|cpf|cnpj|rg|nis|pis|passaporte|pesel
        |nip|regon|dowod|numer dowodu|paszport|numer paszportu|driver license|drivers license
        |driving license|driving licence|driver licence|license number|licence number|license no
        |license|licence|fuehrerschein|fuhrerschein|permis conduire|licencia conducir|cnh
        |prawo jazdy|medical record number|mrn|patient number|health insurance number|aadhaar
        |insee number|medicare number|npi|birth number""",
    "token": """token|password|passwd|passwort|kennwort|mot passe|mot de passe|mdp|contrasena
        |contrasenia|clave|clave acceso|senha|haslo|pwd|pass|secret|secret key|api key|apikey
        |access key|private key|public key|auth key|session key|session id|session token|otp|salt
        |password hash|password salt|hash|hashed password|hash password|signature|fingerprint
        |digest|checksum|md5|sha1|sha256|etag|nonce|pin|credential|credentials|verifier
        |code challenge|code verifier|access token|refresh token|recovery token
        |confirmation token|security answer|encrypted password|jeton|schluessel|klucz
        |client secret|bcrypt|webauthn|token hash|auth code|hash key""",
    "plate": """license plate|licence plate|number plate|plate|plate number|plate no|kennzeichen
        |immatriculation|matricula|placa|tablica rejestracyjna|nr rejestracyjny|registration plate
        |vin|chassis number|tail number|vehicle registration|vehicle registration number""",
    "coordinates": """lat|lng|lon|latitude|longitude|coordinate|coordinates|geolocation|geo location
        |breitengrad|laengengrad|langengrad|latitud|longitud|szerokosc geograficzna
        |dlugosc geograficzna|lat lng|gps""",
    "text": """description|desc|comment|comments|note|notes|remark|remarks|message|body|content|text
        |summary|review|review text|feedback|bio|biography|beschreibung|kommentar|bemerkung
        |bemerkungen|nachricht|notiz|inhalt|commentaire|commentaires|remarque|contenu|descripcion
        |comentario|comentarios|observaciones|mensaje|contenido|descricao|observacao|mensagem
        |conteudo|opis|uwagi|komentarz|wiadomosc|tresc|details|other details|abstract|question
        |answer|memo|reason text|subject|synopsis|plot""",
    "label": """name|title|label|caption|titel|titre|nom|nombre|nome|nazwa|bezeichnung|titulo|tytul
        |designation|denominacion|naam|heading|headline|libelle|libelle long""",
}

_PERSONS = words_of(
    """customer client employee user patient author singer actor actress driver student teacher
    staff
    person people member artist player candidate pilot doctor physician nurse manager owner host
    guest
    contact professor instructor lecturer musician director editor reviewer researcher scientist
    swimmer wrestler gymnast athlete coach lawyer attorney agent tenant borrower cardholder
    subscriber passenger professional conductor composer writer speaker individual participant
    investor voter resident citizen inhabitant visitor buyer seller employer_contact salesperson
    clinician practitioner caregiver parent guardian child spouse worker operator technician
    architect surgeon scholar contestant performer comedian composer partner referee competitor
    comptroller senator commander delegate trainer inspector judge representative
    secretary president politician governor mayor captain sailor rider jockey cyclist bodybuilder
    builder debater follower friend relative dependent beneficiary applicant claimant
    policyholder account_holder profile leader entrepreneur chef cook waiter mechanic engineer
    kunde kunden mitarbeiter benutzer nutzer patienten fahrer schueler student lehrer person
    personen
    mitglied mitglieder autor autoren kuenstler spieler arzt aerzte angestellter angestellte gast
    utilisateur employe salarie patient auteur etudiant eleve professeur membre personne conducteur
    cliente usuario empleado trabajador paciente autor estudiante alumno profesor miembro persona
    conductor medico funcionario utilizador aluno membro pessoa motorista
    klient pracownik uzytkownik pacjent autor uczen nauczyciel czlonek osoba kierowca lekarz
    shopper crew cast faculty personnel suspect victim witness prisoner officer"""
)
_ENTITIES = _PERSONS | words_of(
    """order invoice payment sale purchase transaction booking reservation rental ticket account
    store
    shop branch office company supplier vendor product item address visit appointment session event
    log message comment review post claim policy contract loan shipment delivery inventory
    bestellung
    rechnung auftrag konto filiale commande facture pedido factura compra venta produkt zamowienie
    faktura hotel restaurant hospital school university club team film movie song album track book
    journal playlist stadium document paper project part bike index property house apartment
    vehicle car truck bus train flight aircraft"""
)
_AMBIGUOUS = words_of("given middle cap pin pass mac state land via job text rg pan stan ort")
_VAGUE = words_of("staff people parent child profile contact account crew cast agent")
_HEADS = words_of(
    """type kind class status category method flag format count level mode verified confirmed
    version
    algorithm provider language lang locale order rank size length year month day date datetime time
    at on amount balance total price enabled active preference style group source reason id fk
    valid verify visible public private expires expiry sent attempts changed updated created typ art
    kategorie statut tipo estado categoria rodzaj sum limit percent rate score age gender sex
    population area description desc details comment usage action plan currency code abbr
    abbreviation iso grade since until opened closed zone"""
)
_LEADS = words_of("is has was num count nb total avg min max number_of can should")
_NUMBERED = words_of("id no nr num number code nummer numero numer nro ref reference key")
_AMOUNTS = words_of(
    """amount balance total price sum value salary population size count points score rate percent
    area length width height weight distance capacity cost budget revenue sales profit age year rank
    position quantity qty gnp gdp attendance votes milliseconds seconds minutes bytes duration
    income wage fee tax betrag preis summe montant prix somme monto precio valor preco kwota cena
    stars rating enrollment members subscribers passengers followers worth assets money"""
)
_COMPOUNDS = ("first", "last", "full", "user", "family", "given", "middle", "nick", "company",
              "customer", "city", "country", "street", "product", "display", "contact", "employee",
              "sur", "fore", "maiden", "file", "host", "domain", "login", "member", "client",
              "student", "author", "patient", "driver", "artist", "owner", "team")  # fmt: skip


def tokens_of(name: str) -> tuple[str, ...]:
    """The words of a name, in plain lower-case letters: ``custFirstName2`` is cust first name 2."""
    plain = unicodedata.normalize("NFKD", name.translate(_LONG))
    plain = plain.encode("ascii", "ignore").decode()
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", plain)
    spaced = re.sub(r"([A-Za-z])(\d)|(\d)([A-Za-z])", r"\1\3 \2\4", spaced)
    words = re.findall(r"[a-z]+|\d+", spaced.lower())
    split: list[str] = []
    for word in words:
        head = next((c for c in _COMPOUNDS if word in (c + "name", c + "names")), None)
        split += [head, "name"] if head and word not in _PHRASES_OF_ONE else [word]
    return tuple(split)


@lru_cache(maxsize=1)
def _phrases() -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for concept, text in _CONCEPTS.items():
        for phrase in text.split("|"):
            found.setdefault(tuple(phrase.split()), concept)
    return found


_PHRASES_OF_ONE = frozenset(
    phrase.strip() for text in _CONCEPTS.values() for phrase in text.split("|")
    if " " not in phrase.strip()
)  # fmt: skip


def singular(word: str) -> str:
    """A plural without its ending, roughly."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss") and len(word) > 3:
            return word[: -len(ending)] + instead
    return word


def names_persons(words: tuple[str, ...]) -> bool:
    """Whether the last word of a table's name, or its only first one, is a kind of person."""
    plain = [w for w in words if not w.isdigit() and w not in ("tbl", "t", "table", "info", "data")]
    return bool(plain) and any(
        w in _PERSONS or singular(w) in _PERSONS for w in {plain[-1], plain[0]}
    )


def names_entity(words: tuple[str, ...]) -> bool:
    """Whether a table's name says that its rows are things of the business, not a vocabulary."""
    plain = [w for w in words if not w.isdigit()]
    return bool(plain) and (plain[-1] in _ENTITIES or singular(plain[-1]) in _ENTITIES)


def is_person_word(word: str) -> bool:
    """Whether a word is a kind of person."""
    return word in _PERSONS or singular(word) in _PERSONS


def is_amount(words: tuple[str, ...]) -> bool:
    """Whether a name says that the column counts or measures."""
    return any(w in _AMOUNTS or singular(w) in _AMOUNTS for w in words)


def is_numbered(words: tuple[str, ...]) -> bool:
    """Whether a name ends like that of an identifier: id, no, number, code."""
    return bool(words) and (words[-1] in _NUMBERED or words[-1].endswith(("nummer", "number")))


def concept_of(column: str, table: str = "") -> str:
    """What a column's name says it holds: the name of a concept, or nothing."""
    words = tokens_of(column)
    trimmed = words
    while trimmed and trimmed[-1].isdigit() and trimmed not in _phrases():
        trimmed = trimmed[:-1]
    if not trimmed or trimmed[0] in _LEADS:
        return ""
    found = _longest(trimmed)
    if found in ("label", "") and _person_name(trimmed, tokens_of(table)):
        return "full_name"
    return found


def _longest(words: tuple[str, ...]) -> str:
    """The concept of the longest phrase; nothing where a later word makes it a property of it."""
    phrases = _phrases()
    for size in range(min(len(words), 4), 0, -1):
        for start in range(len(words) - size, -1, -1):
            concept = phrases.get(words[start : start + size])
            if concept is None:
                concept = phrases.get(tuple(singular(w) for w in words[start : start + size]))
            rest = words[start + size :]
            if concept and not any(w in _HEADS for w in rest):
                return _settled(concept, words, start, size)
    return ""


def _settled(concept: str, words: tuple[str, ...], start: int, size: int) -> str:
    """The concept, unless a short phrase stands before words that change its meaning."""
    alone = size == 1 and len(words) > 1
    rest = words[start + size :]
    if alone and words[start] in _AMBIGUOUS:
        return concept if not rest and words[start] in ("state", "land", "pass", "text") else ""
    if concept == "label" and rest:
        return ""
    return concept


def _person_name(words: tuple[str, ...], table: tuple[str, ...]) -> bool:
    """``name`` in a table of persons, ``<person> name``, or a word for a person at the end."""
    naming = {"name", "names", "nom", "nombre", "nome", "nazwa", "naam"}
    if not words or (len(words) == 1 and words[0] in naming):
        return bool(words) and names_persons(table)
    glued = re.fullmatch(r"([a-z]{4,})(name|names)", words[-1])
    if glued and (is_person_word(glued[1]) or is_person_word(glued[1].removesuffix("n"))):
        return True
    if words[-1] in naming:
        return is_person_word(words[-2]) or (words[-2] in table and names_persons(table))
    return len(words) <= 2 and is_person_word(words[-1]) and words[-1] not in _VAGUE
