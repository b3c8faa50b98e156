//! A double of both APIs.
