//! Where a record of people says who may be mailed.

/// Where consent and the address that it is for stand: keys at the source and columns here.
#[derive(Debug)]
pub struct Consent {
    /// The key of the consent.
    pub key: &'static str,
    /// Its column.
    pub column: &'static str,
    /// The key of the address.
    pub address_key: &'static str,
    /// Its column.
    pub address: &'static str,
    /// The column by which addresses are looked up.
    pub address_lookup: &'static str,
}
