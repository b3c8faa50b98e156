//! Plain validated data: what a person wrote, checked.
