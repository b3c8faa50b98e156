//! Who is sent what: every combination of consent, mirror and ledger that matters.
