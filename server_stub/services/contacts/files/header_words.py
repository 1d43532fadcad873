"""What the columns of files of contacts are called in English, German, French and Spanish, without case and accents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_CALLED = """
name: full name | fullname | contact | contact name | display name | nombre completo | nombre y apellidos | nom
    complet | vollstandiger name | anzeigename | nom affiche | nom a afficher | nombre mostrado | nombre para mostrar
    | file as | person
first_name: firstname | given name | fname | forename | vorname | nombre | prenom | nombre de pila | primer nombre |
    first
last_name: lastname | surname | family name | lname | nachname | familienname | apellidos | apellido | nom de famille |
    nom | last
middle_name: middle name | additional name | additional names | weitere vornamen | zweiter vorname | second prenom |
    deuxieme prenom | segundo nombre
salutation: anrede | prefix | name prefix | honorific | courtesy title | civilite | tratamiento | saludo | prefijo |
    titulation
email: e mail | mail | email address | e mail address | email addresses | mail address | mailadresse | e mail adresse
    | email adresse | adresse e mail | adresse email | adresse mail | adresse de messagerie | adresse electronique |
    courriel | correo | correo electronico | direccion de correo electronico | direccion de correo | email id | e mail
    addresses
secondary_emails: other emails | additional email addresses | alternative email | weitere e mail adressen
phone: telephone | tel | phone number | phone numbers | telephone number | telefon | telefonnummer | telefono |
    rufnummer | telefonnr | numero de telephone | numero de telefono | company main phone | festnetz | fixe
mobile: mobile phone | mobile number | mobile phone number | phone mobile | cell | cell phone | cellphone | cellular |
    handy | handynummer | mobiltelefon | mobil | mobil tel nr | mobiltel | mobilnummer | mobilfunknummer | movil |
    telefono movil | celular | telephone mobile | tel mobile | tel portable | telephone portable | portable | numero
    de movil | telefon mobil | iphone
company: organization | organisation | company name | companyname | account | account name | associated company |
    organization name | organisation name | employer | firma | firmenname | unternehmen | empresa | organizacion |
    compania | societe | entreprise | nom de l entreprise | nombre de la empresa | current company
title: titre | titulo | position | job title | jobtitle | job position | role | cargo | organization title | stelle |
    berufsbezeichnung | funktion | poste | intitule du poste | fonction | puesto | puesto de trabajo | arbeitstitel |
    headline
department: abteilung | service | departement | departamento | organization department | area
notes: note | comment | comments | notizen | notiz | bemerkungen | kommentar | anmerkungen | notas | nota |
    commentaires | remarques | description | beschreibung | descripcion | comentarios | remarks
tags: tag | label | labels | category | categories | kategorie | kategorien | etikett | etiketten | markierungen |
    categorie | etiquettes | etiquette | categorias | etiquetas | etiqueta | group membership | groups | lists
website: url | web | homepage | web page | webpage | website url | web site | webseite | internetseite | page web |
    site web | pagina web | sitio web | web page 1 | website 1 value | profile url
birthday: birth date | birthdate | date of birth | dob | bday | geburtstag | geburtsdatum | anniversaire | date de
    naissance | cumpleanos | fecha de nacimiento | birthday mm dd
birthday.year: birth year | geburtsjahr | annee de naissance | ano de nacimiento
birthday.month: birth month | geburtsmonat | mois de naissance | mes de nacimiento
birthday.day: birth day | tag der geburt | jour de naissance | dia de nacimiento
source: lead source | leadsource | original source | quelle | lead quelle | herkunft | origen | fuente | origine |
    source du prospect | fuente de posible cliente
status: contact status | kontaktstatus | statut | estado del contacto | statut du contact
lifecycle_stage: lifecyclestage | lifecycle | stage | lebenszyklusphase | lifecycle phase | phase du cycle de vie |
    etapa del ciclo de vida | etape du cycle de vie
owner_id: owner | contact owner | record owner | owner name | besitzer | eigentumer | inhaber | zustandig |
    kontaktinhaber | kontakt zustandiger mitarbeiter | proprietaire | proprietaire du contact | propietario |
    propietario del contacto | responsable | assigned to | sales owner | owned by | salesperson
external_id: record id | record id contact | contact id | contactid | vid | entry id | kontakt id | datensatz id | id
    de fiche d informations | id de registro | id del contacto | external key
language: preferred language | sprache | langue | idioma | locale | spoken language
timezone: time zone | zeitzone | fuseau horaire | zona horaria
avatar: photo | photo url | foto | picture | image | image url | profile picture
email_opt_out: has opted out of email | opted out of email | opt out | email opt out | unsubscribed | unsubscribed
    from all email | e mail abgemeldet | abgemeldet | abbestellt | desabonne | desinscrit | no recibir correo | dado
    de baja | e mail opt out
sms_opt_out: sms opt out | has opted out of sms | text opt out
do_not_contact: do not contact | dnc | nicht kontaktieren | kontaktsperre | ne pas contacter | no contactar
next_follow_up: next follow up | follow up | follow up date | next activity date | wiedervorlage | nachste aktivitat |
    prochain suivi | proximo seguimiento | next contact date
social_profiles.linkedin: linkedin | linkedin url | linkedin profile | linkedin bio | person linkedin url
social_profiles.twitter: twitter | twitter handle | twitter username | twitter url
social_profiles.facebook: facebook | facebook url
address.street: address | street | street address | address line 1 | address 1 | address line | street 1 | strasse |
    anschrift | strasse und hausnummer | adresse | postanschrift | rue | calle | direccion | domicilio | adresse
    postale | calle y numero | address street | mailing address
address.whole: formatted | address formatted | formatted address | full address | complete address
address.street2: address line 2 | street 2 | address 2 | street address 2 | strasse 2 | adresszusatz | adresse 2 | rue
    2 | calle 2 | complement d adresse | direccion 2 | extended address | address extended address | anschrift 2
address.city: city | town | locality | ort | stadt | wohnort | ville | ciudad | localidad | poblacion | address city
address.state: state | region | province | county | state region | state province | bundesland | kanton | dep region |
    departement region | region etat | etat region | etat | provincia | provincia o estado | provincia estado | estado
    | comunidad autonoma | address region | address state | estado region | stateorregion
address.postal_code: zip | zip code | zipcode | postcode | post code | postal code | zip postal code | zip postal |
    plz | postleitzahl | code postal | codigo postal | c p | cp | address postal code | postalcode
address.country: country | country code | country region | nation | land | land region | staat | pays | pays region |
    pais | pais o region | pais region | address country | countryorregion | cc
"""

_PREFERRED = """
arbeit beruflich berufliche beruflicher berufliches billing bureau buro business company corporate default dienstlich
dienstliche dienstlicher dienstliches geschaftlich geschaftliche geschaftlicher geschaftliches hauptadresse hauptort
laboral mailing main office oficina preferred primare primarer primary principal principale profesional professional
professionnel professionnelle trabajo travail work
"""
_OTHERS = """
additional alternate alternative andere autre casa domicile home other otra otro particular personal personnel
personnelle privat private privater privates second secondaire secondary secundaria secundario sekundare shipping
weitere zweite
"""
_GLUE = """
a contact current d de del des du el en et kontakt l la le les los o of person the und value y
"""
_NEVER = """
asistente assistant assistants assistentin beeper bounced callback car carphone count display fax hobby isdn manager
managers pager radio spouse telecopie telecopieur telefax telex tty typ type verified yomi
"""


def _pairs() -> Iterator[tuple[str, str]]:
    for line in _CALLED.strip().replace("\n    ", " ").splitlines():
        field, _, names = line.partition(": ")
        yield from ((name.strip(), field) for name in names.split("|"))


ADDRESSES = frozenset(("address", "addr", "adresse", "anschrift", "direccion"))
"""What may stand before the part of an address."""
CALLED: Mapping[str, str] = dict(_pairs())
"""What columns are called, and their members."""
PREFERRED = frozenset(_PREFERRED.split())
"""Words of the one that counts first of several: the phone of the office, the main address."""
OTHERS = frozenset(_OTHERS.split())
"""Words of the others: the phone at home, a second address."""
GLUE = frozenset(_GLUE.split())
"""Words that say nothing."""
NEVER = frozenset(_NEVER.split())
"""Words of columns that are something else: a fax is not a phone, an assistant's number is not the contact's."""
