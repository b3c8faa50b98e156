//! An organization itself: its shape is known from the specification's examples only (contract
//! 6.5).

use super::value::quote;
use crate::simulator::world::Organization;

/// The JSON text.
pub(super) fn render(organization: &Organization) -> String {
    let mut name = String::new();
    quote(&organization.name, &mut name);
    include_str!("organization.txt")
        .replace("«id»", &organization.id.to_string())
        .replace("«name»", &name)
}
