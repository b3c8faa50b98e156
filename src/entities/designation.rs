//! `designations`: what money is given for (contract 6.6).

use super::record::record;

record! {
    /// What money is given for: a program, a fund (contract 6.6).
    Designation of Designations, {
        table: "designations",
        path: "designations",
        singular: "designation",
        event: None,
        changes: "6h",
        reconcile: "7d",
        schema_version: 1,
        is_linked_to: true,
        has_purchases: false,
        tells_of_people: false,
    }
    /// What people call it; the organization has no two of one name.
    name: text,
    /// What it is about.
    description: note,
    /// What it is to bring in.
    goal: money,
    /// City that it is for.
    city: text,
    /// State or province that it is for.
    state: text,
    /// Postal code that it is for.
    postal_code: text,
    /// Its id in another system.
    external_reference_id: text,
    /// Whether donors can choose it.
    is_active: flag,
    /// Whether it has what it needs.
    is_complete: flag,
    /// Whether it is what gifts are for unless somebody says otherwise.
    is_default: flag,
    /// From when on it counts.
    started_at: time from "start_time",
    /// Until when.
    ended_at: time from "end_time",
}
