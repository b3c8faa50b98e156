//! Where donors live, and what people are called there.

/// A country, with names as words of one text.
pub(super) struct Land {
    pub(super) code: &'static str,
    /// In which people give, and hundredths of a dollar for one of it.
    pub(super) currency: (&'static str, i64),
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    /// Towns with state and postal code.
    pub(super) towns: &'static [(&'static str, &'static str, &'static str)],
    /// With a place for the number.
    pub(super) streets: &'static [&'static str],
}

/// The one that most donors live in comes first.
pub(super) const LANDS: [Land; 8] = [
    Land {
        code: "US",
        currency: ("USD", 100),
        first: "James Mary Robert Patricia Michael Linda David Elizabeth William Barbara \
             Richard Susan Joseph Jessica Thomas Sarah Daniel Karen Matthew Nancy Anthony \
             Margaret Steven Ashley Andrew Emily Joshua Michelle Kevin Carol Brian Amanda \
             George Melissa Timothy Deborah Jason Rebecca Ryan Laura Maria Carlos Sofia \
             Luis Elena Diego Wei Mei Priya Arjun Jamal Keisha Andre Monique Hannah Noah \
             Olivia Ethan Grace Walter",
        last: "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez \
             Hernandez Lopez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez \
             Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen \
             King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall \
             Rivera Campbell Mitchell Carter Patel Kim Chen Bennett Brooks Coleman Foster \
             Hayes Murphy Reed Sullivan Whitfield",
        towns: &[
            ("Portland", "OR", "97205"),
            ("Seattle", "WA", "98103"),
            ("San Diego", "CA", "92104"),
            ("Oakland", "CA", "94610"),
            ("Denver", "CO", "80209"),
            ("Minneapolis", "MN", "55408"),
            ("Chicago", "IL", "60614"),
            ("Columbus", "OH", "43206"),
            ("Nashville", "TN", "37206"),
            ("Atlanta", "GA", "30307"),
            ("Durham", "NC", "27701"),
            ("Philadelphia", "PA", "19147"),
            ("Brooklyn", "NY", "11215"),
            ("Boston", "MA", "02130"),
            ("Austin", "TX", "78704"),
            ("Burlington", "VT", "05401"),
        ],
        streets: &[
            "# Maple Street",
            "# Oak Avenue",
            "# Cedar Lane",
            "# Washington Street",
            "# Park Place",
            "# Lakeview Drive",
            "# Hillcrest Road",
            "# Elm Street",
        ],
    },
    Land {
        code: "CA",
        currency: ("CAD", 73),
        first: "Liam Emma Benoît Chloé Étienne Amélie Gordon Heather Raj Simone Colin Fiona",
        last: "Tremblay Gagnon MacDonald Roy Singh Bouchard Fraser Lavoie Chan Stewart Morin \
             Wilson",
        towns: &[
            ("Toronto", "ON", "M4K 1P1"),
            ("Vancouver", "BC", "V5T 3J2"),
            ("Montréal", "QC", "H2T 1S6"),
            ("Halifax", "NS", "B3H 2Y9"),
            ("Calgary", "AB", "T2R 0E7"),
        ],
        streets: &[
            "# King Street",
            "# Birch Crescent",
            "# rue Saint-Denis",
            "# Queen Street",
        ],
    },
    Land {
        code: "GB",
        currency: ("GBP", 127),
        first: "Oliver Amelia Harry Isla Alistair Poppy Rhys Catrin Graham Zara Imran Gemma",
        last: "Hughes Evans Patel Khan Ashworth Campbell Davies Fletcher Hussain Pemberton \
             Reid Shaw",
        towns: &[
            ("London", "", "N16 8EX"),
            ("Manchester", "", "M21 9WQ"),
            ("Edinburgh", "", "EH9 1QS"),
            ("Bristol", "", "BS6 5JY"),
            ("Cardiff", "", "CF11 9LJ"),
        ],
        streets: &[
            "# Church Road",
            "# Victoria Street",
            "# Mill Lane",
            "# The Crescent",
        ],
    },
    Land {
        code: "IE",
        currency: ("EUR", 110),
        first: "Aoife Conor Niamh Seán Ciara Pádraig Siobhán Declan Gráinne Eoin",
        last: "Murphy Kelly O'Sullivan Walsh O'Brien Byrne Ryan Gallagher Doherty Kavanagh",
        towns: &[
            ("Dublin", "", "D06 K2N8"),
            ("Cork", "", "T12 X8P3"),
            ("Galway", "", "H91 F5R2"),
        ],
        streets: &["# Harcourt Terrace", "# Strand Road", "# Castle Street"],
    },
    Land {
        code: "DE",
        currency: ("EUR", 110),
        first: "Anna Lukas Katharina Jürgen Sabine Felix Heike Matthias Leonie Tobias",
        last: "Müller Schneider Fischer Weber Wagner Becker Schäfer Hoffmann Krüger Brandt",
        towns: &[
            ("Berlin", "", "10437"),
            ("Hamburg", "", "22767"),
            ("München", "", "80799"),
            ("Köln", "", "50674"),
        ],
        streets: &[
            "Lindenstraße #",
            "Gartenweg #",
            "Hauptstraße #",
            "Am Markt #",
        ],
    },
    Land {
        code: "AU",
        currency: ("AUD", 65),
        first: "Jack Charlotte Lachlan Matilda Bruce Sienna Hamish Tahlia",
        last: "Wilson Taylor Nguyen Kelly Robertson Mackenzie Papadopoulos Hart",
        towns: &[
            ("Melbourne", "VIC", "3070"),
            ("Sydney", "NSW", "2042"),
            ("Brisbane", "QLD", "4101"),
        ],
        streets: &["# Wattle Street", "# Station Road", "# Beach Parade"],
    },
    Land {
        code: "KE",
        currency: ("USD", 100),
        first: "Wanjiru Otieno Achieng Kamau Njeri Kiprono Faith Brian",
        last: "Mwangi Odhiambo Wambui Kiptoo Njoroge Akinyi Mutua Chebet",
        towns: &[
            ("Nairobi", "", "00100"),
            ("Kisumu", "", "40100"),
            ("Mombasa", "", "80100"),
        ],
        streets: &["# Ngong Road", "# Kenyatta Avenue", "# Moi Drive"],
    },
    Land {
        code: "BR",
        currency: ("USD", 100),
        first: "Ana João Beatriz Rafael Luiza Thiago Camila Henrique",
        last: "Silva Souza Oliveira Pereira Almeida Ribeiro Carvalho Araújo",
        towns: &[
            ("São Paulo", "SP", "05422-030"),
            ("Porto Alegre", "RS", "90035-170"),
            ("Recife", "PE", "52060-010"),
        ],
        streets: &["Rua das Flores, #", "Avenida Brasil, #", "Rua do Sol, #"],
    },
];
