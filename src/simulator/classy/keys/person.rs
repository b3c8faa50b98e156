//! Who is behind a supporter's id. Two in forty are one person with two ids, and two in fifty share
//! an address but for its case (contract 9).

use crate::simulator::home::Home;
use crate::simulator::world::Kind;

const FIRST: [&str; 16] = [
    "Ada",
    "Grace",
    "Alan",
    "Barbara",
    "Donald",
    "Margaret",
    "Katherine",
    "Zoë",
    "José",
    "Łukasz",
    "Maribel",
    "Chinwe",
    "Yuki",
    "Nadia",
    "Tomás",
    "Ingrid",
];
const LAST: [&str; 14] = [
    "Lovelace", "Hopper", "Turing", "Liskov", "Knuth", "Hamilton", "Johnson", "Müller", "Núñez",
    "Okafor", "O'Brien", "Tanaka", "Haddad", "Kowalski",
];

/// Who somebody is.
pub(in crate::simulator) struct Person {
    pub(in crate::simulator) first: &'static str,
    pub(in crate::simulator) last: &'static str,
    pub(in crate::simulator) member_id: i64,
    number: i64,
    shouts: bool,
    /// The address of somebody whose story is told.
    email: Option<String>,
}

impl Person {
    pub(in crate::simulator) fn of(home: &Home, supporter: i64) -> Person {
        let number = home.number(supporter);
        if let Some((story, place)) = home.told(supporter) {
            let person = story.person(place);
            return Person {
                first: person.first,
                last: person.last,
                member_id: home.id(Kind::Supporters, 50_000_000 + number),
                number,
                shouts: false,
                email: Some(person.email()),
            };
        }
        let (again, shouts) = (number % 40 == 8, number % 50 == 12);
        let original = if again || shouts { number - 1 } else { number };
        let roll = home.roll(home.id(Kind::Supporters, original), 1);
        Person {
            first: FIRST[roll as usize % FIRST.len()],
            last: LAST[(roll >> 8) as usize % LAST.len()],
            // The account is the person's; only a second address in another case made a second
            // account.
            member_id: home.id(
                Kind::Supporters,
                50_000_000 + if again { original } else { number },
            ),
            number: if shouts { original } else { number },
            shouts,
            email: None,
        }
    }

    pub(in crate::simulator) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    pub(in crate::simulator) fn email(&self) -> String {
        if let Some(email) = &self.email {
            return email.clone();
        }
        let plain = |name: &'static str| name.chars().filter(char::is_ascii_alphanumeric);
        let mut name: String = plain(self.first)
            .chain(['.'])
            .chain(plain(self.last))
            .collect();
        if !self.shouts {
            name.make_ascii_lowercase();
        }
        format!("{name}.{}@example.org", self.number)
    }
}
