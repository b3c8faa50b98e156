//! Wrong versions of the decision, made by standing between it and what it is given or what is made
//! of it. Each has to be caught.

/// What is wrong, by the rule of consent that it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Whoever moves takes the member along, even if nothing was moved.
    MovesSpareAlways,
    /// Who left is known by the address alone.
    ByAddressOnly,
    /// Who left is known as a person alone.
    ByPersonOnly,
    /// A yes at Classy brings back who left.
    YesLifts,
    /// Each audience knows only its own leavings.
    EachAudienceAlone,
    /// Members who were there before us are unsubscribed like ours.
    OursIsEverybody,
    /// Nobody is told of a refuser who is mailed and not ours.
    HiddenAmongForeign,
    /// Addresses are compared as they are written.
    RawAddresses,
    /// Whoever was asked to confirm and is gone counts as left.
    GoneIsLeft,
    /// Whoever was asked to confirm and is gone is asked again.
    AsksAgain,
    /// An answer that says nothing is believed.
    EmptyIsBelieved,
    /// Nothing is asked before a send.
    NoLookBeforeSend,
    /// A contact with another address at Mailchimp is somebody new.
    RenamedIsNew,
    /// A refusal ends when the supporter is deleted at Classy.
    GoneForgives,
    /// No word is a word of no.
    SilenceIsNo,
    /// Nobody asks who left the audience of before.
    NeverLooksBack,
    /// What a kill left is not read back.
    NoReadBack,
    /// Whoever left gets the contact of whoever had the address before.
    LeaverInherits,
}

impl Wrong {
    pub(super) const ALL: [Wrong; 18] = [
        Wrong::MovesSpareAlways,
        Wrong::ByAddressOnly,
        Wrong::ByPersonOnly,
        Wrong::YesLifts,
        Wrong::EachAudienceAlone,
        Wrong::OursIsEverybody,
        Wrong::HiddenAmongForeign,
        Wrong::RawAddresses,
        Wrong::GoneIsLeft,
        Wrong::AsksAgain,
        Wrong::EmptyIsBelieved,
        Wrong::NoLookBeforeSend,
        Wrong::RenamedIsNew,
        Wrong::GoneForgives,
        Wrong::SilenceIsNo,
        Wrong::NeverLooksBack,
        Wrong::NoReadBack,
        Wrong::LeaverInherits,
    ];
}
