//! The name under which a process holds leases, `WHO#PLACE.LIFE`, taken apart.

/// The place of a process by the name under which it holds leases, which is `WHO#PLACE.LIFE`: what
/// stands before the life. Two lives of one place cannot go on at once; about other places nothing
/// is known.
pub fn place_of(holder: &str) -> Option<&str> {
    let (place, life) = holder.rsplit_once('.')?;
    (place.contains('#') && !life.contains('#')).then_some(place)
}

/// That name as people read it.
pub fn readable(holder: &str) -> &str {
    holder.rsplit_once('#').map_or(holder, |(who, _)| who)
}
