//! The folders of this plugin stand on each other: none names one that stands above it. That no
//! files stand in a circle, `tests/architecture` proves.

use std::path::{Path, PathBuf};

/// Lowest first; what is not in a folder is a floor of its own.
const FLOORS: [&str; 5] = ["settings", "api", "mirror", "decide", "deliver"];

fn files(path: PathBuf) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path];
    }
    let entries = std::fs::read_dir(&path).unwrap();
    entries
        .flat_map(|entry| files(entry.unwrap().path()))
        .collect()
}

#[test]
fn folders_name_only_what_is_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/integrations/mailchimp");
    let mut wrong = Vec::new();
    for (index, floor) in FLOORS.iter().enumerate() {
        let folder = root.join(floor);
        let place = if folder.is_dir() {
            folder
        } else {
            folder.with_extension("rs")
        };
        for path in files(place) {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = |above: &&&str| {
                [
                    format!("mailchimp::{above}"),
                    format!("super::super::{above}"),
                ]
                .iter()
                .any(|name| text.contains(name))
            };
            wrong.extend(
                FLOORS[index + 1..]
                    .iter()
                    .filter(names)
                    .map(|above| format!("{} names {above}", path.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
