//! Names of keys: all of a file, and the known one that a misspelt one is nearest to.

/// The dotted names of the defaults' values; a secret's `{ env = ... }` or `{ file = ... }` is one
/// value.
pub(super) fn flat_keys(table: &toml::Table) -> Vec<String> {
    let is_secret = |table: &toml::Table| {
        !table.is_empty() && table.keys().all(|key| key == "env" || key == "file")
    };
    let mut keys = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(inner) if !is_secret(inner) => keys.extend(
                flat_keys(inner)
                    .into_iter()
                    .map(|key| format!("{name}.{key}")),
            ),
            _ => keys.push(name.clone()),
        }
    }
    keys
}

/// Whether a text is a key of the vault, `ID:BASE64` of 32 bytes or nearly so, rather than the path
/// of a file with one.
pub(super) fn is_vault_key(text: &str) -> bool {
    const WHOLE: usize = 44;
    let is_base64 = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    };
    // A blank or the end of a line within it comes from copying.
    let text: String = text.split_whitespace().collect();
    let text = text.as_str();
    match text
        .split_once([':', '='])
        .filter(|(id, _)| id.len() <= WHOLE / 4)
    {
        Some((id, key)) => {
            !id.contains(['/', '.'])
                && is_base64(key)
                && key.len() >= WHOLE / 4
                && !key.starts_with('/')
                && (key.ends_with('=') || !key.contains('/') || key.len() >= LEAST)
        }
        // Also a little too short or too long, or without what fills it up.
        None => {
            is_base64(text) && text.len() >= LEAST && (text.ends_with('=') || !text.contains('/'))
        }
    }
}

/// Characters from which on a text of those of a key is one, though some were lost.
const LEAST: usize = 32;

/// Whether capitals take turns with other letters and digits as nobody writes them who names a file:
/// a key with a stroke in it looks like a path.
pub(super) fn is_drawn(text: &str) -> bool {
    const TURNS: usize = 10;
    let bytes = text.as_bytes();
    let turns = bytes.windows(2).filter(|pair| {
        pair.iter().all(u8::is_ascii_alphanumeric)
            && pair[0].is_ascii_uppercase() != pair[1].is_ascii_uppercase()
    });
    turns.count() >= TURNS
}

/// The known key that differs least, when it differs little.
pub fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let (distance, near) = known.map(|name| (distance(key, name), name)).min()?;
    (distance <= (key.len() / 3).max(2)).then(|| near.to_owned())
}

/// Edits between two words (Levenshtein).
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
