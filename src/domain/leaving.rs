//! How somebody left the other side, and what follows from that for whoever had the address.

/// How somebody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Only the address is bad, which says nothing of whoever has it.
    Bounced,
    /// Without a word of theirs: staff put them away, or the other side does not take them.
    PutAway,
    /// By a word of theirs: they unsubscribed, complained of a mail, or were erased.
    SaidNo,
    /// They said no at the source, and we took them off for it.
    TakenOff,
}

impl Way {
    const ALL: [Way; 4] = [Way::Bounced, Way::PutAway, Way::SaidNo, Way::TakenOff];

    /// As the database has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Way::Bounced => "bounced",
            Way::PutAway => "put away",
            Way::SaidNo => "said no",
            Way::TakenOff => "taken off",
        }
    }

    /// The way with this word. One that is not known here, such as a later version's, is taken for
    /// the strictest.
    pub fn of(word: &str) -> Way {
        Way::ALL
            .into_iter()
            .find(|way| way.as_str() == word)
            .unwrap_or(Way::SaidNo)
    }

    /// Whether it is a word of the person: it goes for every place, and not only for the one that
    /// they left.
    pub const fn is_word_of_no(self) -> bool {
        matches!(self, Way::SaidNo | Way::TakenOff)
    }
}

/// Why nothing is sent to an address, or to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// How they left.
    pub way: Way,
    /// The same for people.
    pub reason: String,
}

impl Why {
    /// Of what is known and this, which is learned now, what counts for an address, or for somebody
    /// who had it. That we took an address off is a word of one person, and says nothing of others
    /// who have it.
    pub fn beside(self, known: Option<&Why>, of_address: bool) -> Why {
        let rank = |why: &Why| match why.way {
            Way::Bounced => 0,
            Way::TakenOff if of_address => 1,
            Way::PutAway => 2,
            Way::TakenOff => 3,
            Way::SaidNo => 4,
        };
        known
            .filter(|known| rank(known) > rank(&self))
            .cloned()
            .unwrap_or(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_as_it_was_written_and_one_that_is_not_known_is_a_no() {
        for way in Way::ALL {
            assert_eq!(Way::of(way.as_str()), way);
        }
        assert!(Way::of("of a later version").is_word_of_no());
        assert!(!Way::Bounced.is_word_of_no() && !Way::PutAway.is_word_of_no());
    }

    #[test]
    fn a_word_of_no_is_not_forgotten_for_what_comes_after_it() {
        let why = |way: Way| Why {
            way,
            reason: String::new(),
        };
        let after = |first: Way, then: Way, of_address: bool| {
            why(then).beside(Some(&why(first)), of_address).way
        };
        for of_address in [true, false] {
            assert_eq!(after(Way::SaidNo, Way::PutAway, of_address), Way::SaidNo);
            assert_eq!(after(Way::Bounced, Way::SaidNo, of_address), Way::SaidNo);
            assert_eq!(after(Way::PutAway, Way::Bounced, of_address), Way::PutAway);
        }
        assert_eq!(
            (
                after(Way::TakenOff, Way::PutAway, true),
                after(Way::TakenOff, Way::PutAway, false)
            ),
            (Way::PutAway, Way::TakenOff)
        );
        assert_eq!(why(Way::Bounced).beside(None, true).way, Way::Bounced);
    }
}
