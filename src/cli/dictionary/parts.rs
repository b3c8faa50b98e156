//! The parts of the dictionary, in their order.

use crate::entities::dictionary::Sort;

/// What each part is about.
pub(super) const PARTS: [(Sort, &str, &str); 3] = [
    (
        Sort::View,
        "Views",
        "What analysts read. Days, months and years are those of the organization's zone, amounts are in its currency.",
    ),
    (
        Sort::Record,
        "Records from Classy",
        "Ids are Classy's, and unique only together with organization_id: join on both. Amounts without a prefix are in the organization's currency, raw_ in the donor's, charged_ in the processor's; they are exact to four decimals. Times are UTC. 'contract 6.2' is a section of docs/classy-api.md.",
    ),
    (
        Sort::Own,
        "The program's own tables",
        "How the sync goes on. They may change with any version.",
    ),
];
