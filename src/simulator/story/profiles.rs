//! What organizations are about: names, where their donors live, and what they raise money for.

use super::lands::LANDS;

/// What an organization is about.
pub(super) struct Profile {
    name: &'static str,
    /// The last words of the name, for others of its kind.
    kind: &'static str,
    /// How many supporters, beside the one with the most.
    size: f64,
    /// What nobody usually gives more than.
    pub(super) most: f64,
    /// How many donors live in each land, as weights.
    pub(super) lands: [f64; LANDS.len()],
    /// What those who give each month are called.
    pub(super) circle: &'static str,
    /// The race or walk of each year.
    pub(super) race: &'static str,
    /// The evening of each year.
    pub(super) evening: &'static str,
    pub(super) designations: &'static [&'static str],
    /// Each with the place of its designation.
    pub(super) projects: &'static [(&'static str, usize)],
    /// The designation of what cannot wait, and what that was.
    pub(super) emergencies: (usize, &'static [&'static str]),
}

/// The first words of further names.
const FIRST: [&str; 9] = [
    "Larkspur",
    "Cedarmoor",
    "Bellwater",
    "Quillhaven",
    "Marrowstone",
    "Fernhollow",
    "Aldergate",
    "Thistledown",
    "Greywren",
];

const PROFILES: [Profile; 3] = [
    Profile {
        name: "Amberfield Relief Fund",
        kind: "Relief Fund",
        size: 1.0,
        most: 12_000.0,
        lands: [74.0, 8.0, 6.0, 3.0, 4.0, 3.0, 1.0, 1.0],
        circle: "The Lamplighters: Monthly Giving",
        race: "Run for Relief",
        evening: "Lantern Gala",
        designations: &[
            "Where It Is Needed Most",
            "Emergency Response",
            "Food Assistance",
            "Clean Water",
            "Refugee Support",
            "Health Clinics",
            "Shelter & Housing",
            "School Meals",
        ],
        projects: &[
            ("Clean Water for Turkana", 3),
            ("School Meals in Kitale", 7),
            ("Winter Shelter Kits", 6),
            ("Mobile Clinics in the Highlands", 5),
            ("Welcome Home: Refugee Families", 4),
            ("Food Boxes for Every Family", 2),
            ("Solar Pumps for Village Wells", 3),
            ("Warm Meals for Seniors", 2),
            ("Rebuilding 200 Homes", 6),
        ],
        emergencies: (
            1,
            &[
                "Flood Response",
                "Earthquake Response",
                "Hurricane Response",
            ],
        ),
    },
    Profile {
        name: "Tessaly Water Trust",
        kind: "Water Trust",
        size: 0.45,
        most: 6_000.0,
        lands: [48.0, 6.0, 18.0, 14.0, 6.0, 2.0, 4.0, 2.0],
        circle: "The Wellspring Circle",
        race: "Walk for Water",
        evening: "Evening by the River",
        designations: &[
            "General Fund",
            "Wells & Boreholes",
            "School Sanitation",
            "Water Emergencies",
            "Training Local Engineers",
        ],
        projects: &[
            ("A Well for Lodwar", 1),
            ("Clean Hands at School", 2),
            ("Forty Boreholes in Recife's Hinterland", 1),
            ("Rainwater Tanks for Clinics", 1),
            ("The Engineers' Apprenticeship", 4),
        ],
        emergencies: (3, &["Drought Response", "Cholera Response"]),
    },
    Profile {
        name: "Juniper Hill Food Alliance",
        kind: "Food Alliance",
        size: 0.2,
        most: 2_500.0,
        lands: [96.0, 2.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        circle: "Neighbors Every Month",
        race: "Hunger Walk",
        evening: "Harvest Supper",
        designations: &["Food Pantry", "Kids' Weekend Backpacks", "Mobile Market"],
        projects: &[
            ("A New Freezer Truck", 2),
            ("Summer Lunches", 1),
            ("Fill the Shelves", 0),
        ],
        emergencies: (0, &["Wildfire Neighbors' Fund"]),
    },
];

impl Profile {
    pub(super) const fn at(place: usize) -> &'static Profile {
        &PROFILES[place % PROFILES.len()]
    }

    /// What the organization at a place is called; no two have one name.
    pub(super) fn name(place: usize) -> String {
        let Some(further) = place.checked_sub(PROFILES.len()) else {
            return Profile::at(place).name.to_owned();
        };
        // Each pair of a first word and a kind comes once before a number must tell them apart.
        let pairs = FIRST.len() * PROFILES.len();
        let (round, pair) = (further / pairs, further % pairs);
        let name = format!(
            "{} {}",
            FIRST[(pair + pair / FIRST.len()) % FIRST.len()],
            Profile::at(place).kind
        );
        match round {
            0 => name,
            more => format!("{name} {}", more + 1),
        }
    }

    /// How many supporters the organization has when the largest has so many.
    pub(super) fn supporters(&self, largest: usize) -> usize {
        ((largest as f64 * self.size) as usize).max(largest.min(10))
    }
}
