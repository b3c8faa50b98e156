//! The program's source, file by file, as text and as tokens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::path::{Path, PathBuf};

pub(super) struct Source {
    /// Below `src/`, with slashes.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) tokens: Vec<String>,
}

impl Source {
    pub(super) fn new(name: String, text: String) -> Source {
        let mut tokens = Vec::new();
        flatten(text.parse().unwrap(), &mut tokens);
        Source { name, text, tokens }
    }

    pub(super) fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap()
    }

    /// The module path below the crate: `store/page.rs` is `["store", "page"]`.
    pub(super) fn path(&self) -> Vec<String> {
        let mut path: Vec<String> = self
            .name
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if path.last().is_some_and(|last| last == "mod") {
            path.pop();
        }
        path
    }
}

pub(super) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn sources() -> Vec<Source> {
    let folder = root().join("src");
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Source::new(
                path.strip_prefix(&folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/"),
                text,
            )
        })
        .collect()
}

/// Every token of a file, bodies of macros included; `::` is one.
fn flatten(stream: TokenStream, out: &mut Vec<String>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    _ => ("(", ")"),
                };
                out.push(open.to_owned());
                flatten(group.stream(), out);
                out.push(close.to_owned());
            }
            TokenTree::Punct(punct)
                if punct.as_char() == ':' && out.last().is_some_and(|last| last == ":") =>
            {
                out.pop();
                out.push("::".to_owned());
            }
            other => out.push(other.to_string()),
        }
    }
}

/// For each token, the modules written inside the file that enclose it.
pub(super) fn inline_modules(tokens: &[String]) -> Vec<Vec<String>> {
    // Per open brace: whether it is a module's.
    let mut braces: Vec<bool> = Vec::new();
    let mut modules: Vec<String> = Vec::new();
    let mut enclosing = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        enclosing.push(modules.clone());
        if token == "{" {
            let is_module = index >= 2 && tokens[index - 2] == "mod";
            braces.push(is_module);
            if is_module {
                modules.push(tokens[index - 1].clone());
            }
        } else if token == "}" && braces.pop() == Some(true) {
            modules.pop();
        }
    }
    enclosing
}
