"""Words of eight languages for the labelled columns: common names, plainly put together."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().replace("_", " ") for word in text.split())


GIVEN = {
    "en": _words("""James Mary Oliver Amelia Harry Isla George Ava Noah Emily Jack Sophie Leo Grace
        Oscar Lily Alfie Freya Henry Ivy Theo Daisy Archie Phoebe Declan Niamh Priya Imran Mei"""),
    "de": _words("""Jürgen Sabine Günther Heike Lukas Lena Felix Mia Jonas Hannah Karl-Heinz
        Ursula Björn Anke Detlef Silke Uwe Petra Matthias Katrin Ansgar Wiebke Emre Ayşe"""),
    "fr": _words("""Jean-Pierre Hélène Émile Chloé Léa Hugo Manon Louis Camille Jules Élodie Théo
        Margaux Gaël Océane Bastien Aurélie Quentin Solène Fabrice Karim Fatou Yannick"""),
    "es": _words("""José María Lucía Javier Carmen Álvaro Sofía Íñigo Martina Hugo Paula Sergio
        Rocío Andrés Nuria Joaquín Begoña Iker Ximena Ramón Pilar Mateo Inés Óscar"""),
    "pt": _words("""João Ana Tiago Inês Pedro Beatriz Rui Mariana Gonçalo Joana Thiago Larissa
        Caio Vitória Murilo Heloísa Duarte Catarina Renan Luísa Otávio Sônia Afonso"""),
    "pl": _words("""Łukasz Agnieszka Paweł Małgorzata Krzysztof Zofia Wojciech Katarzyna Stanisław
        Hanna Jakub Oliwia Grzegorz Jadwiga Mateusz Bożena Zbigniew Ewelina Tadeusz Iwona"""),
    "it": _words("""Giuseppe Giulia Niccolò Chiara Alessandro Francesca Matteo Elisa Luca Beatrice
        Gianluca Ilaria Salvatore Noemi Vincenzo Serena Ettore Ludovica Dario Mirella"""),
    "nl": _words("""Daan Sanne Bram Fleur Jeroen Femke Thijs Lotte Ruben Anouk Sven Marijke Gijs
        Maaike Wouter Tineke Joris Roos Pieter Hanneke Koen Saskia Mees Liesbeth"""),
}
FAMILY = {
    "en": _words("""Smith Jones Taylor Brown O'Connor Walker Wright Hughes Edwards Thompson Patel
        Clarke Robinson Fletcher McGregor Ashworth Whitaker Hargreaves Khan Chen Doyle Lockwood"""),
    "de": _words("""Müller Schmidt Schneider Weiß Schröder Krause Jäger Vogel Köhler Lindemann
        Brandt Pfeiffer Hoffmann Schäfer Zimmermann Yılmaz Kowalczyk Dietrich Böhm Wulff"""),
    "fr": _words("""Martin Lefèvre Dubois Moreau Girard Faure Rousseau Blanchard Dupont Mercier
        Benoît Lemaire Gauthier Perrin Chevalier Marchand Diallo Benali Le_Goff Besson"""),
    "es": _words("""García Fernández López Martínez Sánchez Gómez Díaz Muñoz Álvarez Romero
        Navarro Ibáñez Castro Ortega Peña Cabrera Iglesias Echeverría Vázquez Rubio"""),
    "pt": _words("""Silva Santos Ferreira Oliveira Costa Rodrigues Martins Sousa Gonçalves Alves
        Pinto Carvalho Teixeira Moura Barbosa Cardoso Araújo Simões Figueiredo Brandão"""),
    "pl": _words("""Nowak Kowalski Wiśniewski Wójcik Kamińska Lewandowska Zieliński Szymański
        Woźniak Dąbrowski Kozłowska Mazur Krawczyk Piotrowska Grabowski Pawłowska Jabłoński"""),
    "it": _words("""Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Conti
        De_Luca Mancini Barbieri Lombardi Moretti Fontana D'Amico Caruso Rinaldi"""),
    "nl": _words("""de_Jong Jansen de_Vries van_den_Berg Bakker Visser Smit Meijer Mulder Bos Vos
        Peters Hendriks van_Dijk Dekker Brouwer de_Wit Dijkstra Kuipers Veenstra"""),
}
CITIES = {
    "en": _words("""Leeds Bristol Springfield Aberdeen Portland Austin Swansea Norwich Denver
        Boston Exeter Lincoln Tacoma Dayton Plymouth Halifax Truro Stirling Oakham Whitby"""),
    "de": _words("""Köln Bremen Leipzig Gießen Ulm Görlitz Kassel Lübeck Bad_Homburg Potsdam
        Würzburg Emden Trier Hof Passau Jena Celle Stade Marburg Zwickau"""),
    "fr": _words("""Nantes Lyon Saint-Étienne Besançon Nîmes Quimper Dijon Pau Angers Limoges
        Aix-en-Provence Roubaix Le_Mans Tours Vannes Annecy Béziers Reims Metz Brest"""),
    "es": _words("""Sevilla Málaga Cádiz León Burgos A_Coruña Gijón Toledo Ávila Huelva Lugo
        Santander Badajoz Murcia Girona Jaén Cuenca Soria Teruel Vigo"""),
    "pt": _words("""Porto Braga Coimbra Évora Faro Recife Curitiba São_Paulo Belém Goiânia Natal
        Aveiro Setúbal Viseu Campinas Niterói Olinda Manaus Leiria Sintra"""),
    "pl": _words("""Kraków Gdańsk Łódź Poznań Wrocław Lublin Rzeszów Bielsko-Biała Toruń Olsztyn
        Zielona_Góra Opole Kielce Radom Gliwice Sopot Elbląg Płock Tarnów Słupsk"""),
    "it": _words("""Bologna Torino Forlì Reggio_Emilia Bari Lecce Trento Pisa Cuneo Udine Parma
        Modena Pescara Ancona Rieti Como Varese Novara Siena L'Aquila"""),
    "nl": _words("""Utrecht Zwolle Breda 's-Hertogenbosch Leiden Delft Assen Almere Arnhem Hoorn
        Gouda Venlo Zeist Ede Heerlen Sneek Tiel Alkmaar Deventer Apeldoorn"""),
}
STREETS = {
    "en": "High Street|Mill Lane|Church Road|Park Avenue|Elm Drive|King's Court|Station Road",
    "de": "Hauptstraße|Am Markt|Lindenweg|Goethestr.|Schillerplatz|Mühlgasse|Bahnhofstraße",
    "fr": "rue de la Paix|avenue Victor Hugo|bd Voltaire|chemin des Vignes|place du Marché",
    "es": "Calle Mayor|Avda. de la Constitución|Plaza Nueva|C/ San Juan|Paseo del Prado",
    "pt": "Rua das Flores|Avenida Brasil|Travessa do Carmo|Praça da República|Rua Augusta",
    "pl": "ul. Długa|ul. Mickiewicza|al. Jana Pawła II|os. Leśne|pl. Wolności|ul. Polna",
    "it": "Via Roma|Viale Garibaldi|Piazza Dante|Corso Italia|Via dei Mille|Largo Augusto",
    "nl": "Dorpsstraat|Kerkweg|Prinsengracht|Julianalaan|Marktplein|Molenstraat|Stationsweg",
}
PRODUCTS = {
    "en": (
        "Oak|Steel|Compact|Deluxe|Garden|Travel|Silent|Folding",
        "Chair|Lamp|Kettle|Tent|Desk|Mixer|Backpack|Drill",
    ),
    "de": (
        "Eiche|Stahl|Kompakt|Garten|Reise|Falt",
        "Stuhl|Lampe|Kessel|Zelt|Tisch|Rucksack|Bohrer",
    ),
    "fr": (
        "Château|Domaine|Clos|Cuvée|Réserve|Coteaux",
        "du Moulin|des Roches|Blanc|Rouge|Vieux|de la Tour",
    ),
    "es": (
        "Silla|Lámpara|Mesa|Tienda|Mochila|Batidora",
        "plegable|compacta|de roble|de acero|de viaje|roja",
    ),
    "pt": (
        "Cadeira|Lâmpada|Mesa|Tenda|Mochila|Panela",
        "dobrável|compacta|de carvalho|de aço|azul|grande",
    ),
    "pl": (
        "Krzesło|Lampa|Stół|Namiot|Plecak|Mikser",
        "składane|dębowe|stalowe|kompaktowe|duże|czarne",
    ),
    "it": (
        "Sedia|Lampada|Tavolo|Tenda|Zaino|Frullatore",
        "pieghevole|compatta|in rovere|in acciaio|rosso",
    ),
    "nl": ("Stoel|Lamp|Tafel|Tent|Rugzak|Mixer", "opvouwbaar|compact|eiken|van staal|rood|groot"),
}
SENTENCES = {
    "en": "the parcel was left with a neighbour and later collected after two calls about delivery",
    "de": "die Ware wurde beim Nachbarn abgegeben und später nach zwei Anrufen wegen Lieferung geholt",
    "fr": "le colis fut remis chez un voisin puis repris après deux appels au sujet de la livraison",
    "es": "el paquete quedó con un vecino y luego fue recogido tras dos avisos sobre la entrega",
    "pt": "a encomenda ficou com um vizinho e depois foi levantada após dois avisos sobre a entrega",
    "pl": "paczka została u sąsiada i potem odebrana po dwóch telefonach w sprawie dostawy towaru",
    "it": "il pacco fu lasciato da un vicino e poi ritirato dopo due avvisi sulla consegna della merce",
    "nl": "het pakket werd bij een buur gelaten en later opgehaald na twee telefoontjes over de levering",
}
COMPANIES = {
    "en": "Ltd|Inc|LLC|Group|& Sons|plc", "de": "GmbH|AG|GmbH & Co. KG|OHG|e.K.",
    "fr": "SARL|SA|SAS|et Fils", "es": "S.L.|S.A.|e Hijos", "pt": "Ltda|S.A.|Lda",
    "pl": "Sp. z o.o.|S.A.|i Synowie", "it": "S.r.l.|S.p.A.|& C. snc", "nl": "B.V.|N.V.|& Zonen",
}  # fmt: skip
LISTS = {
    "sex.letter": "M F", "sex.de": "männlich weiblich divers", "sex.fr": "H F", "sex.es": "Varón Mujer",
    "sex.pt": "Masculino Feminino", "sex.pl": "K M", "sex.it": "M F", "sex.nl": "man vrouw",
    "sex.en": "male female", "civility.fr": "M. Mme Mlle", "title.en": "Mr Mrs Ms Dr", "title.de": "Herr Frau",
    "marital": "single married divorced widowed", "marital.de": "ledig verheiratet geschieden verwitwet",
    "marital.fr": "célibataire marié divorcé veuf", "marital.es": "soltero casado divorciado viudo",
    "marital.pt": "solteiro casado divorciado viúvo", "marital.pl": "kawaler panna żonaty rozwiedziona",
    "marital.it": "celibe nubile coniugato vedovo", "marital.nl": "ongehuwd gehuwd gescheiden weduwe",
    "ethnicity": "White Asian Black Mixed Other Unknown", "religion": "Catholic Protestant Muslim Jewish None",
    "blood": "A+ A- B+ B- 0+ AB+", "icd": "I10 E11.9 J45 F32.1 M54.5 K21 N39.0 J06.9 R51 Z00",
    "nation.de": "deutsch polnisch türkisch italienisch syrisch griechisch kroatisch rumänisch",
    "nation.es": "española mexicana colombiana rumana marroquí italiana peruana china",
    "nation.pl": "polskie ukraińskie niemieckie białoruskie czeskie litewskie wietnamskie włoskie",
    "nation.it": "italiana rumena albanese marocchina cinese ucraina filippina indiana",
    "nation.nl": "Nederlandse Belgische Duitse Turkse Poolse Syrische Marokkaanse Britse",
    "nation.en": "British Irish Polish Indian Nigerian German French Spanish",
    "nation.fr": "française belge marocaine algérienne portugaise italienne suisse malienne",
    "nation.pt": "brasileira portuguesa angolana italiana argentina chilena japonesa alemã",
    "segment": "retail wholesale online partner", "status": "new paid shipped returned cancelled",
    "status.es": "nuevo pagado enviado devuelto anulado", "action": "create update delete login logout view",
    "colour.en": "red green blue black white grey brown orange yellow", "currency": "EUR USD GBP PLN BRL",
    "colour.de": "rot grün blau schwarz weiß grau braun gelb", "colour.fr": "rouge blanc rosé pétillant",
    "colour.es": "rojo verde azul negro blanco gris marrón amarillo", "colour.pt": "vermelho verde azul preto branco cinza marrom amarelo",
    "colour.pl": "czerwony zielony niebieski czarny biały szary brązowy żółty",
    "colour.it": "rosso verde blu nero bianco grigio marrone giallo", "colour.nl": "rood groen blauw zwart wit grijs bruin geel",
    "grade": "A B C D E F", "size": "XS S M L XL", "cardbrand": "VISA MC AMEX JCB",
    "carmake": "Ford Fiat Opel Skoda Volvo Seat Dacia Toyota", "department.de": "Einkauf Vertrieb Lager Buchhaltung Versand IT",
    "weekday.fr": "lundi mardi mercredi jeudi vendredi", "month.it": "gennaio febbraio marzo aprile maggio",
    "country.en": "France Germany Spain Poland Italy Brazil Netherlands Portugal Canada Japan",
    "country.pl": "Polska Niemcy Francja Hiszpania Włochy Czechy", "iso2": "FR DE ES PL IT BR NL PT CA JP",
    "language": "English German French Spanish Polish Italian", "genre": "Rock Jazz Pop Classical Metal Blues",
    "fruit.nl": "appel peer druif kers pruim banaan", "material.es": "acero madera vidrio cuero lino",
}  # fmt: skip
JOBS = {
    "en": "Nurse|Electrician|Data Analyst|Bus Driver|Accountant|Teacher|Chef|Site Manager",
    "de": "Buchhalterin|Elektriker|Krankenpfleger|Lehrerin|Busfahrer|Koch|Bauleiter",
    "fr": "Infirmière|Électricien|Comptable|Chauffeur|Enseignant|Cuisinier|Chef de chantier",
    "es": "Enfermera|Electricista|Contable|Conductor|Profesora|Cocinero|Jefe de obra",
    "pt": "Enfermeira|Eletricista|Contador|Motorista|Professora|Cozinheiro|Mestre de obras",
    "pl": "Pielęgniarka|Elektryk|Księgowa|Kierowca|Nauczyciel|Kucharz|Kierownik budowy",
    "it": "Infermiera|Elettricista|Contabile|Autista|Insegnante|Cuoco|Capocantiere",
    "nl": "Verpleegkundige|Elektricien|Boekhouder|Chauffeur|Leraar|Kok|Uitvoerder",
}
