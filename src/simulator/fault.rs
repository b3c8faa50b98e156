//! What can go wrong, by name. Faults strike by chance, seeded, and never the same list twice in a row: a client that tries
//! again politely gets through.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// A fault of the API or of the world.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Fault::$name => $word,)*
                }
            }
        }
    };
}

faults! {
    /// 429 with `Retry-After`.
    RateLimit = "rate-limit",
    /// 500, 502 and 503.
    ServerErrors = "server-errors",
    /// Some answers take a second.
    Slow = "slow",
    /// Tokens live for a few seconds only, and some are revoked early.
    TokenExpiry = "token-expiry",
    /// JSON that ends in the middle, with status 200.
    TruncatedBody = "truncated-body",
    /// The connection ends in the middle of the body.
    Reset = "reset",
    /// A web page with status 200.
    Html200 = "html-200",
    /// An object without `data`, with status 200.
    WrongShape200 = "wrong-shape-200",
    /// Records change between page requests.
    Drift = "drift",
    /// Several hundred records share one second.
    Ties = "ties",
    /// `next_page_url` names another host.
    ForeignNextUrl = "foreign-next-url",
    /// Some requests are answered with a redirect to another host.
    Redirect = "redirect",
    /// A few records have a broken amount or another organization's id.
    BadRecord = "bad-record",
    /// `total` and `last_page` shrink while a list is walked.
    ShrinkingTotal = "shrinking-total",
    /// Changes become visible some seconds after their time.
    LateVisibility = "late-visibility",
    /// 403 with a web page for a client without a descriptive name, and now and then for anybody.
    EdgeBlock = "edge-block",
    /// No `Date` header.
    NoDate = "no-date",
    /// A page past the end is 404 instead of empty.
    PastEnd404 = "past-end-404",
    /// More than 100 records a page are refused instead of cut to 100.
    PerPage400 = "per-page-400",
    /// Numbers as texts, texts as numbers, unknown keys and words.
    TypeNoise = "type-noise",
    /// A few records have no `updated_at`.
    NullUpdatedAt = "null-updated-at",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Fault::ALL.iter().copied().find(|fault| fault.as_str() == text).ok_or_else(|| {
            let names = Fault::ALL.iter().map(|fault| fault.as_str()).collect::<Vec<_>>().join(", ");
            format!("no such fault: '{text}' (there are {names})")
        })
    }
}

/// Decides which fault strikes a request.
#[derive(Debug, Default)]
pub(super) struct Striker {
    seed: u64,
    count: u64,
    struck: HashMap<String, bool>,
}

impl Striker {
    pub(super) fn new(seed: u64) -> Self {
        Striker { seed, ..Striker::default() }
    }

    /// One of the active faults that strike single requests, or none: about one request in four, never the same path twice in a row.
    pub(super) fn strike(&mut self, active: &[Fault], path: &str) -> Option<Fault> {
        const SINGLE: [Fault; 9] = [
            Fault::RateLimit,
            Fault::ServerErrors,
            Fault::Slow,
            Fault::TruncatedBody,
            Fault::Reset,
            Fault::Html200,
            Fault::WrongShape200,
            Fault::Redirect,
            Fault::EdgeBlock,
        ];
        let candidates: Vec<Fault> = SINGLE.into_iter().filter(|fault| active.contains(fault)).collect();
        if candidates.is_empty() {
            return None;
        }
        self.count += 1;
        let roll = mix(self.seed ^ self.count);
        let before = self.struck.insert(path.to_owned(), false).unwrap_or(false);
        if before || roll % 4 != 0 {
            return None;
        }
        self.struck.insert(path.to_owned(), true);
        Some(candidates[(roll / 4) as usize % candidates.len()])
    }
}

/// Spreads a number over all bits (SplitMix64).
pub(super) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
