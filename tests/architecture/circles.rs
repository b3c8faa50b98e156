//! No circle of files within a module: what a file is made from can be read before it, down to the
//! bottom.
//!
//! A file needs another when it names something that stands there, by an import or by a path in its
//! code. Names are followed through re-exports (`pub use`) to the file in which they stand, so a
//! `mod.rs` that declares its children and shows their names on is in no circle with them. One with
//! code of its own is, when it uses a child that uses that code.
//!
//! What only tests see is left out. Calls of methods are not followed: nobody needs to know a
//! file's name for them.

use super::needs::{File, Path, file, path_end, without_tests};
use super::source::{Source, sources};
use std::collections::{BTreeMap, BTreeSet};

/// Folders that still have circles, with how many files are in them: the numbers may only fall, and
/// a folder without any goes.
const LEFT: &[(&str, usize)] = &[("simulator", 37)];

/// Files by their module paths.
struct Files(BTreeMap<Path, File>);

impl Files {
    fn of(sources: &[Source]) -> Files {
        let mut tests: BTreeSet<Path> = BTreeSet::new();
        let mut files = BTreeMap::new();
        for source in sources
            .iter()
            .filter(|source| !["lib", "main"].contains(&source.module()))
        {
            let (tokens, declared) = without_tests(&source.tokens);
            tests.extend(
                declared
                    .into_iter()
                    .map(|name| [source.path(), vec![name]].concat()),
            );
            files.insert(source.path(), file(&tokens));
        }
        files.retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
        Files(files)
    }

    /// A path as it is written in a file, from the crate's root; none of what is not this crate's.
    fn absolute(&self, here: &Path, written: &[String]) -> Option<Path> {
        let climbs = written.iter().take_while(|word| *word == "super").count();
        match written.first()?.as_str() {
            "crate" => Some(written[1..].to_vec()),
            "self" => Some([&here[..], &written[1..]].concat()),
            "super" => {
                Some([&here[..here.len().checked_sub(climbs)?], &written[climbs..]].concat())
            }
            child => self
                .0
                .contains_key(&[&here[..], &[child.to_owned()]].concat())
                .then(|| [&here[..], written].concat()),
        }
    }

    /// The file in which what a path from the root names stands.
    fn resolve(&self, path: &[String], depth: usize) -> Option<Path> {
        let file = (1..=path.len())
            .rev()
            .map(|length| path[..length].to_vec())
            .find(|part| self.0.contains_key(part))?;
        let Some(name) = path.get(file.len()) else {
            return Some(file);
        };
        let shown = self.0[&file]
            .reexports
            .iter()
            .find(|shown| shown.name == *name);
        let stands = shown
            .filter(|_| depth < 8)
            .and_then(|shown| self.absolute(&file, &shown.path));
        match stands {
            Some(stands) => {
                self.resolve(&[&stands[..], &path[file.len() + 1..]].concat(), depth + 1)
            }
            None => Some(file),
        }
    }

    /// The files of the same module that a file needs, each with a name that it takes from there.
    fn needs(&self, here: &Path) -> BTreeMap<Path, String> {
        let File {
            imports,
            reexports,
            code,
        } = &self.0[here];
        let mut known: BTreeMap<&str, Path> = BTreeMap::new();
        let mut named: Vec<Path> = Vec::new();
        for import in imports.iter().chain(reexports) {
            let Some(path) = self.absolute(here, &import.path) else {
                continue;
            };
            known.insert(&import.name, path.clone());
            let shows_child =
                reexports.iter().any(|shown| std::ptr::eq(shown, import)) && path.starts_with(here);
            // A module by itself is needed for what is taken from it, and a child's name that is
            // only shown on for nothing.
            if !self.0.contains_key(&path) && (!shows_child || code.contains(&import.name)) {
                named.push(path);
            }
        }
        let mut index = 0;
        while index < code.len() {
            let end = path_end(code, index);
            let is_restriction = index > 0 && code[index - 1] == "in";
            if end > index + 1 && !is_restriction {
                let written: Path = code[index..end].iter().step_by(2).cloned().collect();
                let path = match known.get(written[0].as_str()) {
                    Some(known) => Some([&known[..], &written[1..]].concat()),
                    None => self.absolute(here, &written),
                };
                named.extend(path);
            }
            index = end;
        }
        let other = |path: &Path| Some((self.resolve(path, 0)?, path.last()?.clone()));
        named
            .iter()
            .filter_map(other)
            .filter(|(file, _)| file != here && file[0] == here[0])
            .collect()
    }

    /// The circles, each as its files, and what ties them.
    fn circles(&self) -> Vec<(BTreeSet<Path>, Vec<String>)> {
        let needs: BTreeMap<&Path, BTreeMap<Path, String>> =
            self.0.keys().map(|path| (path, self.needs(path))).collect();
        let reach = |from: &Path| {
            let (mut met, mut next) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(file) = next.pop() {
                next.extend(
                    needs[&file]
                        .keys()
                        .filter(|other| met.insert((*other).clone()))
                        .cloned(),
                );
            }
            met
        };
        let reached: BTreeMap<&Path, BTreeSet<Path>> =
            self.0.keys().map(|path| (path, reach(path))).collect();
        let mut circles: Vec<(BTreeSet<Path>, Vec<String>)> = Vec::new();
        for (file, others) in &reached {
            if !others.contains(*file) || circles.iter().any(|(circle, _)| circle.contains(*file)) {
                continue;
            }
            let circle: BTreeSet<Path> = others
                .iter()
                .filter(|other| reached[other].contains(*file))
                .cloned()
                .collect();
            let ties = circle
                .iter()
                .flat_map(|from| needs[from].iter().map(move |(to, name)| (from, to, name)));
            let ties = ties.filter(|(_, to, _)| circle.contains(*to));
            let ties = ties
                .map(|(from, to, name)| {
                    format!("{} needs {name} of {}", from.join("/"), to.join("/"))
                })
                .collect();
            circles.push((circle, ties));
        }
        circles
    }
}

#[test]
fn no_files_of_a_module_need_each_other_in_a_circle() {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (circle, ties) in Files::of(&sources()).circles() {
        let is_in = |folder: &str| circle.iter().all(|file| file.join("/").starts_with(folder));
        match LEFT.iter().find(|(folder, _)| is_in(folder)) {
            Some((folder, _)) => *left.entry(folder).or_default() += circle.len(),
            None => wrong.push(ties),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (folder, most) in LEFT {
        let found = left.get(folder).copied().unwrap_or(0);
        assert!(
            found > 0,
            "{folder} has no circle any more: take it from the list"
        );
        assert!(
            found <= *most,
            "{found} files of {folder} are in circles; there were {most}"
        );
    }
}

#[test]
fn the_check_of_circles_sees_every_way_to_need_a_file() {
    let see = |files: &[(&str, &str)]| {
        let source =
            |(name, text): &(&str, &str)| Source::new((*name).to_owned(), (*text).to_owned());
        let sources: Vec<Source> = files.iter().map(source).collect();
        let circles = Files::of(&sources).circles();
        circles
            .iter()
            .map(|(circle, _)| {
                circle
                    .iter()
                    .map(|file| file.join("/"))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect::<Vec<_>>()
            .join("; ")
    };
    let mod_rs = (
        "m/mod.rs",
        "mod a; mod b; pub use a::A; pub(super) use b::{B, C as D};",
    );
    let by_import = [
        mod_rs,
        ("m/a.rs", "use super::B; struct A(B);"),
        ("m/b.rs", "use super::a::A; struct B(A);"),
    ];
    assert_eq!(see(&by_import), "m/a m/b");
    let by_path = [
        mod_rs,
        ("m/a.rs", "fn a() { crate::m::D::c(); }"),
        ("m/b.rs", "use super::a; fn b() { a::a() }"),
    ];
    assert_eq!(see(&by_path), "m/a m/b");
    let by_alias = [
        mod_rs,
        (
            "m/a.rs",
            "use super::{b as other, b}; fn a() { other::b() }",
        ),
        ("m/b.rs", "fn b() { super::a::a() }"),
    ];
    assert_eq!(see(&by_alias), "m/a m/b");
    let with_parent = [
        ("m/mod.rs", "mod a; use a::A; pub struct M(A);"),
        ("m/a.rs", "use super::M; struct A; fn f(_: M) {}"),
    ];
    assert_eq!(see(&with_parent), "m m/a");
    let shown_and_used = [
        ("m/mod.rs", "mod a; pub use a::A; pub struct M(A);"),
        ("m/a.rs", "use super::M; struct A; fn f(_: M) {}"),
    ];
    assert_eq!(see(&shown_and_used), "m m/a");
    let only_shown = [
        ("m/mod.rs", "mod a; pub use a::A; pub struct M;"),
        ("m/a.rs", "use super::M; struct A(M);"),
    ];
    assert_eq!(see(&only_shown), "");
    let in_tests = [
        ("m/mod.rs", "mod a; mod b; #[cfg(test)] pub(crate) mod c;"),
        ("m/a.rs", "use super::b::B; struct A;"),
        (
            "m/b.rs",
            "pub(in crate::m) struct B; #[cfg(test)] mod tests { use super::super::a::A; }",
        ),
        ("m/c.rs", "use super::a::A;"),
    ];
    assert_eq!(see(&in_tests), "");
}
