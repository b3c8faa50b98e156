//! Organizations and their credentials: the file, the database and the vault brought together.
