//! What can go wrong, by name.

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
    // These strike single requests, by chance.

    /// 429 with `Retry-After`.
    RateLimit = "rate-limit",
    /// 500 with nothing, 502, 503, 504 and 520 with a web page.
    ServerErrors = "server-errors",
    /// Some answers take a second.
    Slow = "slow",
    /// JSON that ends in the middle, with status 200.
    TruncatedBody = "truncated-body",
    /// The connection ends in the middle of the body.
    Reset = "reset",
    /// A web page with status 200.
    Html200 = "html-200",
    /// An object without `data`, with status 200.
    WrongShape200 = "wrong-shape-200",
    /// Something like JSON that is none, with status 200.
    InvalidJson = "invalid-json",
    /// Some requests are answered with a redirect to another host.
    Redirect = "redirect",
    /// 403 with a web page for a client without a descriptive name, and now and then for anybody.
    EdgeBlock = "edge-block",
    /// No answer at all.
    Hang = "hang",
    /// The token endpoint, too, is struck by what strikes single requests.
    TokenErrors = "token-errors",

    // These strike single requests to Mailchimp, by chance.

    /// 429 as Mailchimp says it: too many connections at once, and not for how long.
    Mailchimp429 = "mailchimp-429",
    /// 429 without a word, or with a web page.
    Mailchimp429Empty = "mailchimp-429-empty",
    /// 403 without a word, or with a web page: slow down.
    Mailchimp403Empty = "mailchimp-403-empty",
    /// 500 with JSON, 502 with a web page, 503 of the network before it.
    Mailchimp500 = "mailchimp-500",
    /// The connection ends, and nothing was done.
    MailchimpDrop = "mailchimp-drop",
    /// The connection ends, but everything was done.
    MailchimpDropAfterWrite = "mailchimp-drop-after-write",
    /// Everything was done, but no answer comes for two minutes, and the connection is taken for so
    /// long.
    MailchimpHang = "mailchimp-hang",
    /// Some answers take a second.
    MailchimpSlow = "mailchimp-slow",
    /// Some members of a batch fail.
    MailchimpPartial = "mailchimp-partial",
    /// Some members of a batch are in no part of the answer.
    MailchimpVanish = "mailchimp-vanish",

    // These are how Mailchimp is.

    /// The key is good no more.
    MailchimpKeyRevoked = "mailchimp-key-revoked",
    /// Refusals lack their `type`.
    MailchimpNoType = "mailchimp-no-type",
    /// The results of a batch cannot be fetched the first time.
    MailchimpLateResults = "mailchimp-late-results",
    /// Mailchimp's webhooks come twice, after later ones, or never.
    MailchimpWebhookDisorder = "mailchimp-webhook-disorder",

    // These are how the API is.

    /// Tokens live for a few seconds only, and some are revoked early.
    TokenExpiry = "token-expiry",
    /// Whatever refuses for the rate does not say for how long.
    NoRetryAfter = "no-retry-after",
    /// 503 where 429 is meant.
    RateLimit503 = "rate-limit-503",
    /// No `X-RateLimit-*` headers.
    NoRateHeaders = "no-rate-headers",
    /// `next_page_url` names another host.
    ForeignNextUrl = "foreign-next-url",
    /// `total` and `last_page` shrink while a list is walked, below the page that is asked for.
    ShrinkingTotal = "shrinking-total",
    /// Envelopes without `links`, as older ones.
    NoLinks = "no-links",
    /// A page past the end is 404 instead of empty.
    PastEnd404 = "past-end-404",
    /// More than 100 records a page are refused instead of cut to 100.
    PerPage400 = "per-page-400",
    /// Bodies of unknown length, packed with Brotli or gzip for whoever understands it.
    Packed = "packed",
    /// No `Date` header.
    NoDate = "no-date",
    /// An organization is 404, as in the specification.
    NoOrganization = "no-organization",
    /// A campaign's overview is 404, as in the specification.
    NoOverview = "no-overview",
    /// A campaign's overview is two hours behind.
    OverviewLag = "overview-lag",
    /// Changes become visible some seconds after their time; until then the old version is served.
    LateVisibility = "late-visibility",
    /// Webhooks come twice, after later ones, or never.
    WebhookDisorder = "webhook-disorder",

    /// The `Date` header is two hours ahead of the clock that stamps records.
    ClockAhead = "clock-ahead",
    /// The same, twenty years behind.
    ClockBehind = "clock-behind",
    /// Pages are cut to 50 records, as the envelope says.
    Clamp = "clamp",
    /// The same, and the envelope says what was asked for.
    SilentClamp = "silent-clamp",
    /// Each full page lacks a row.
    LackingRows = "lacking-rows",
    /// Page two is answered with the content of page one.
    CachedPage = "cached-page",
    /// The first page of a whole list is empty, and so is the list as it counts itself.
    EmptyFirstPage = "empty-first-page",
    /// Every page is the first.
    IgnoresPage = "ignores-page",
    /// The first three pages come again and again.
    RotatingPages = "rotating-pages",
    /// Lists tell of a hundred million records, whatever they hold.
    HugeTotal = "huge-total",
    /// Behind the last page there are others with records that nobody made.
    Endless = "endless",
    /// The record in the middle of each list cannot be served: 500 for each page with it, and for
    /// itself.
    BadPage = "bad-page",
    /// Whoever asks for a record by its id is told neither that it is there nor that it is gone:
    /// refused, failing, another one, or nothing that can be understood.
    OddSingles = "odd-singles",

    /// Whoever asks for a record by its id is refused with 401, whatever the token.
    SingleUnauthorized = "single-unauthorized",
    /// Two records in the middle of each list have a text that is none: bytes that are not UTF-8,
    /// and half of a surrogate pair. In lists and when they are asked for by their ids.
    NotText = "not-text",

    // These are what the records are like.

    /// Records change between page requests.
    Drift = "drift",
    /// When records change, half of the changes of consent and status do not move `updated_at`.
    SilentChanges = "silent-changes",
    /// When records change, some are deleted.
    Deletions = "deletions",
    /// Several hundred records share one second.
    Ties = "ties",
    /// A few records have a broken amount or another organization's id.
    BadRecord = "bad-record",
    /// A few records have no `updated_at`.
    NullUpdatedAt = "null-updated-at",
    /// A few gifts name a supporter or a campaign that no list contains.
    Orphans = "orphans",
    /// Numbers as texts, texts as numbers, unknown keys and words.
    TypeNoise = "type-noise",
    /// The keys that only the newer specification has.
    NewKeys = "new-keys",
    /// Tens of KB of a payer's personal data in `metadata`.
    BigMetadata = "big-metadata",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Fault::ALL
            .iter()
            .copied()
            .find(|fault| fault.as_str() == text)
            .ok_or_else(|| {
                let names = Fault::ALL
                    .iter()
                    .map(|fault| fault.as_str())
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("no such fault: '{text}' (there are {names})")
            })
    }
}

/// Spreads a number over all bits (SplitMix64).
pub(super) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
