//! What a plugin tells of the place that it delivers to, as a whole and not of one person.

use serde::Deserialize;

/// The part of what a plugin remembers that a person should know; a plugin that has nothing to tell
/// remembers nothing of the kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    /// What does not work as it is configured, and what helps; health tells it, too.
    pub lacks: Vec<String>,
    /// What was mended lately.
    pub mended: Vec<String>,
}

impl Told {
    /// Of a state as it is stored. One that cannot be read tells nothing.
    pub fn of(state: Option<&str>) -> Told {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct State {
            told: Told,
        }
        state
            .and_then(|text| serde_json::from_str::<State>(text).ok())
            .unwrap_or_default()
            .told
    }

    /// All of it, what does not work first.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.lacks.iter().chain(&self.mended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_and_all_else_tells_nothing() {
        let told = Told::of(Some(
            r#"{"cursor":null,"told":{"lacks":["a"],"mended":["b"]}}"#,
        ));
        assert_eq!(told.all().collect::<Vec<_>>(), ["a", "b"]);
        for state in [
            None,
            Some("{}"),
            Some("7"),
            Some("no JSON"),
            Some(r#"{"told":["of another version"]}"#),
        ] {
            assert_eq!(Told::of(state), Told::default(), "{state:?}");
        }
    }
}
